package dev.stubpool.support;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.Kernel;
import dev.stubpool.nativestubs.StubImage;
import dev.stubpool.nativestubs.WaitCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Makes this JVM the one that orphans of its children come to (PR_SET_CHILD_SUBREAPER, prctl(2)),
 * so that a stub that outlives its JVM, or a zombie that nobody reaps, is found exactly: as a child
 * that we did not start.
 */
public final class Orphans {
  private static final int PR_SET_CHILD_SUBREAPER = 36;

  private Orphans() {}

  public static void adopt() {
    StubImage.get();
    if (Kernel.call(Abi.SYS_prctl, PR_SET_CHILD_SUBREAPER, 1) != 0) {
      throw new AssertionError("prctl(PR_SET_CHILD_SUBREAPER)");
    }
  }

  /** Reaps the stubs that came here, and takes no more: other tests count their own. */
  public static void disown() {
    if (Kernel.call(Abi.SYS_prctl, PR_SET_CHILD_SUBREAPER, 0) != 0) {
      throw new AssertionError("prctl(PR_SET_CHILD_SUBREAPER)");
    }
    Proc.await(
        "the ends of adopted stubs",
        () -> {
          Proc.stubs().forEach(Orphans::reap);
          return Proc.stubs().isEmpty();
        });
  }

  /** The children of this process, threads' children too. */
  public static Set<Integer> children() {
    Set<Integer> children = new HashSet<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        // Of a thread that ended meanwhile another one has the children, for the next look.
        for (String pid : Proc.readIfThere(thread.resolve("children")).split(" ", -1)) {
          if (!pid.isEmpty()) {
            children.add(Integer.parseInt(pid));
          }
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return children;
  }

  /**
   * Reaps orphans until no child but {@code known} is left.
   *
   * @return descriptions of those that are still there after {@code atMost}
   */
  public static List<String> awaitNone(Set<Integer> known, Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    Set<Integer> left;
    do {
      left = children();
      left.removeAll(known);
      left.removeIf(Orphans::reap);
      if (left.isEmpty()) {
        left = children(); // a child of one that was just reaped
        left.removeAll(known);
      }
      if (!left.isEmpty()) {
        LockSupport.parkNanos(1_000_000);
      }
    } while (!left.isEmpty() && System.nanoTime() - deadline < 0);
    List<String> descriptions = new ArrayList<>();
    for (int pid : left) {
      descriptions.add(pid + ": " + Proc.readIfThere(Path.of("/proc/" + pid + "/stat")));
    }
    return descriptions;
  }

  private static boolean reap(int pid) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
      long result = WaitCalls.reap(pid, info.address());
      return result == -Errno.ECHILD || (result == 0 && info.get(JAVA_INT, Abi.SIGINFO_pid) == pid);
    }
  }
}
