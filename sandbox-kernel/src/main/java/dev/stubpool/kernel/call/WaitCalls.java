package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.process.ExitStatus;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.process.Usage;
import dev.stubpool.kernel.signal.SignalInfo;
import dev.stubpool.kernel.sync.Sleeper;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** System calls that wait for children. */
final class WaitCalls {
  private static final int WNOHANG = 1;
  private static final int WSTOPPED = 2;
  private static final int WEXITED = 4;
  private static final int WCONTINUED = 8;
  private static final int WNOWAIT = 0x100_0000;
  private static final int WNOTHREAD = 0x2000_0000;
  private static final int WALL = 0x4000_0000;
  private static final int WCLONE = 0x8000_0000;
  private static final int P_ALL = 0;
  private static final int P_PID = 1;
  private static final int P_PGID = 2;

  private WaitCalls() {}

  /** wait4(2). */
  static long wait4(Task task, Arguments arguments) {
    int pid = arguments.integer(0);
    int options = arguments.integer(2);
    if ((options & ~(WNOHANG | WSTOPPED | WCONTINUED | WNOTHREAD | WALL | WCLONE)) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    GuestProcess self = task.process();
    Predicate<GuestProcess> wanted =
        pid > 0
            ? child -> child.pid() == pid
            : pid == -1 ? _ -> true : child -> child.group() == (pid == 0 ? self.group() : -pid);
    Optional<GuestProcess> found = await(task, wanted, options | WEXITED);
    if (found.isEmpty()) {
      return 0;
    }
    GuestProcess child = found.get();
    if (arguments.word(1) != 0) {
      task.memory().writeInt(arguments.word(1), child.status());
    }
    if (arguments.word(3) != 0) {
      task.memory().write(arguments.word(3), Usage.ofCpuTime(child.totalCpuTime()));
    }
    take(child);
    return child.pid();
  }

  /** waitid(2). */
  static long waitid(Task task, Arguments arguments) {
    int id = arguments.integer(1);
    int options = arguments.integer(3);
    if ((options & (WEXITED | WSTOPPED | WCONTINUED)) == 0
        || (options
                & ~(WNOHANG
                    | WEXITED
                    | WSTOPPED
                    | WCONTINUED
                    | WNOWAIT
                    | WNOTHREAD
                    | WALL
                    | WCLONE))
            != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    GuestProcess self = task.process();
    Predicate<GuestProcess> wanted =
        switch (arguments.integer(0)) {
          case P_ALL -> _ -> true;
          case P_PID -> child -> child.pid() == id;
          case P_PGID -> child -> child.group() == (id == 0 ? self.group() : id);
          default -> throw new ErrnoException(Errno.EINVAL);
        };
    Optional<GuestProcess> found = await(task, wanted, options);
    if (arguments.word(2) != 0) {
      task.memory()
          .write(arguments.word(2), found.map(WaitCalls::somebody).orElseGet(WaitCalls::nobody));
    }
    if (found.isPresent()) {
      if (arguments.word(4) != 0) {
        task.memory().write(arguments.word(4), Usage.ofCpuTime(found.get().totalCpuTime()));
      }
      if (!Bits.any(options, WNOWAIT)) {
        take(found.get());
      }
    }
    return 0;
  }

  private static byte[] somebody(GuestProcess child) {
    return ExitStatus.info(child, Signal.SIGCHLD).bytes();
  }

  private static byte[] nobody() {
    ByteBuffer info = Struct.allocate(SignalInfo.SIZE);
    return Struct.bytes(info);
  }

  private static void take(GuestProcess child) {
    if (child.isZombie()) {
      child.reap();
    } else {
      child.changeTold();
    }
  }

  /** Waits for a child with a status change; empty if there is none and the call must not wait. */
  private static Optional<GuestProcess> await(
      Task task, Predicate<GuestProcess> wanted, int options) {
    GuestProcess self = task.process();
    return task.await(
            List.of(self.childrenChanged()),
            Sleeper.NEVER,
            Restart.AS_ACTION_SAYS,
            () -> look(self, wanted, options))
        .orElseThrow();
  }

  /**
   * The outer Optional is empty if the call should continue waiting; the inner one is the child.
   */
  private static Optional<Optional<GuestProcess>> look(
      GuestProcess self, Predicate<GuestProcess> wanted, int options) {
    List<GuestProcess> candidates = self.children().stream().filter(wanted).toList();
    if (candidates.isEmpty()) {
      throw new ErrnoException(Errno.ECHILD);
    }
    Optional<GuestProcess> found =
        candidates.stream().filter(child -> isNews(child, options)).findFirst();
    return found.isPresent() || Bits.any(options, WNOHANG) ? Optional.of(found) : Optional.empty();
  }

  private static boolean isNews(GuestProcess child, int options) {
    if (child.isZombie()) {
      return Bits.any(options, WEXITED);
    }
    return child.status() == ExitStatus.CONTINUED
        ? Bits.any(options, WCONTINUED)
        : ExitStatus.isStopped(child.status()) && Bits.any(options, WSTOPPED);
  }
}
