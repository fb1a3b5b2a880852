package dev.stubpool;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.testing.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Child JVMs of a user without privileges. */
final class Unprivileged {
  static final int UID = 65534;
  private static final int RLIMIT_NPROC = 6;

  private Unprivileged() {}

  /**
   * Runs {@code main} as that user under {@code prefix}, such as a limit; its output. Skips the
   * test for who is not root.
   */
  static String run(String what, List<String> prefix, Class<?> main, String... arguments) {
    return runAs(UID, what, prefix, main, arguments);
  }

  /** The same as a user of one's own, whose processes nobody else starts. */
  static String runAs(
      int uid, String what, List<String> prefix, Class<?> main, String... arguments) {
    StubImage.get();
    Assumptions.assumeTrue(Kernel.call(Abi.SYS_geteuid) == 0, "needs root to become user " + uid);
    Path folder = null;
    try {
      folder = Files.createTempDirectory("stubpool-" + what);
      List<String> command = new ArrayList<>(prefix);
      command.addAll(
          List.of(
              "setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups", "--no-new-privs"));
      command.addAll(
          ChildJvm.command(
              List.of("--enable-native-access=ALL-UNNAMED"),
              ChildJvm.readableClassPath(folder, main),
              main,
              arguments));
      return ChildJvm.run(command).output();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      delete(folder);
    }
  }

  /** Sets the soft RLIMIT_NPROC of this process, which counts the threads of the user. */
  static void limitProcessesTo(long count) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limits = arena.allocate(ValueLayout.JAVA_LONG, 2);
      long result = Kernel.call(Abi.SYS_prlimit64, 0, RLIMIT_NPROC, 0, limits.address());
      limits.setAtIndex(ValueLayout.JAVA_LONG, 0, count);
      if (result != 0
          || Kernel.call(Abi.SYS_prlimit64, 0, RLIMIT_NPROC, limits.address(), 0) != 0) {
        throw new AssertionError("prlimit64");
      }
    }
  }

  private static void delete(Path folder) {
    if (folder == null) {
      return;
    }
    try (var paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
