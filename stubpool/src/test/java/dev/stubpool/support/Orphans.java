package dev.stubpool.support;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.calls.WaitCalls;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.testing.Proc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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

  /**
   * Reaps orphans until no child but {@code known} is left.
   *
   * @return descriptions of those that are still there after {@code atMost}
   */
  public static List<String> awaitNone(Set<Integer> known, Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    Set<Integer> left;
    do {
      left = Proc.children();
      left.removeAll(known);
      left.removeIf(Orphans::reap);
      if (left.isEmpty()) {
        left = Proc.children(); // a child of one that was just reaped
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
