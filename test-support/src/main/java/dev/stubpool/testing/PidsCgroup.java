package dev.stubpool.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * A cgroup with the pids controller, of version 1 or 2: the processes and threads in it are no more
 * than its limit.
 */
public final class PidsCgroup implements AutoCloseable {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");

  private final Path path;

  /** Makes one without a limit, or skips the test. */
  public PidsCgroup() {
    path = make();
  }

  private static Path make() {
    try {
      String name = "stubpool-test-" + ProcessHandle.current().pid();
      return Files.createDirectory(parent().resolve(name));
    } catch (IOException e) {
      return Assumptions.abort("needs root and a writable pids cgroup: " + e);
    }
  }

  /**
   * Version 2 has one hierarchy, in which children have the controllers that their parent gives.
   */
  private static Path parent() throws IOException {
    Path version1 = ROOT.resolve("pids");
    if (Files.isDirectory(version1)) {
      return version1;
    }
    Files.writeString(ROOT.resolve("cgroup.subtree_control"), "+pids", StandardOpenOption.WRITE);
    return ROOT;
  }

  /** Where it is, for {@link #limit(Path, int)} by a process in it. */
  public Path path() {
    return path;
  }

  /** The command that runs another one in it. */
  public List<String> command(List<String> other) {
    List<String> command =
        new ArrayList<>(
            List.of("sh", "-c", "echo $$ >" + path + "/cgroup.procs && exec \"$@\"", "sh"));
    command.addAll(other);
    return command;
  }

  /** Sets the most processes and threads of a cgroup. */
  public static void limit(Path cgroup, int most) {
    try {
      Files.writeString(cgroup.resolve("pids.max"), Integer.toString(most));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for the ends of all that are in it, and removes it. */
  @Override
  public void close() {
    Proc.await("an empty cgroup", () -> path.toFile().delete());
  }
}
