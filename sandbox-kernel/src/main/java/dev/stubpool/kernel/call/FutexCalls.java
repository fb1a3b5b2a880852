package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.memory.FutexTable;
import dev.stubpool.kernel.process.Task;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The system call futex(2). */
final class FutexCalls {
  private static final int FUTEX_WAIT = 0;
  private static final int FUTEX_WAKE = 1;
  private static final int FUTEX_REQUEUE = 3;
  private static final int FUTEX_CMP_REQUEUE = 4;
  private static final int FUTEX_WAKE_OP = 5;
  private static final int FUTEX_WAIT_BITSET = 9;
  private static final int FUTEX_WAKE_BITSET = 10;
  private static final int FUTEX_PRIVATE_FLAG = 128;
  private static final int FUTEX_CLOCK_REALTIME = 256;

  private FutexCalls() {}

  /** futex(2), without the priority-inheritance operations. */
  static long futex(Task task, Arguments arguments) {
    int flags = arguments.integer(1);
    int operation = flags & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    if (Bits.any(flags, FUTEX_CLOCK_REALTIME) && operation != FUTEX_WAIT_BITSET) {
      throw new ErrnoException(Errno.ENOSYS);
    }
    return switch (operation) {
      case FUTEX_WAIT -> await(task, arguments, FutexTable.ANY_BITS, false);
      case FUTEX_WAIT_BITSET -> await(task, arguments, bits(arguments), true);
      case FUTEX_WAKE -> wake(task, arguments, FutexTable.ANY_BITS);
      case FUTEX_WAKE_BITSET -> wake(task, arguments, bits(arguments));
      case FUTEX_REQUEUE -> requeue(task, arguments);
      case FUTEX_CMP_REQUEUE -> {
        check(task, arguments, arguments.integer(5));
        yield requeue(task, arguments);
      }
      case FUTEX_WAKE_OP -> wakeOp(task, arguments);
      default -> throw new ErrnoException(Errno.ENOSYS);
    };
  }

  private static int bits(Arguments arguments) {
    if (arguments.integer(5) == 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return arguments.integer(5);
  }

  /** The key of the word to which an argument points. */
  private static FutexTable.Key key(Task task, Arguments arguments, int index) {
    boolean isPrivate = Bits.any(arguments.integer(1), FUTEX_PRIVATE_FLAG);
    return FutexTable.key(task.program().map(), arguments.word(index), isPrivate);
  }

  /** Checks that the word has the expected value. */
  private static void check(Task task, Arguments arguments, int expected) {
    FutexTable.Key _ = key(task, arguments, 0);
    if (task.memory().readInt(arguments.word(0)) != expected) {
      throw new ErrnoException(Errno.EAGAIN);
    }
  }

  // ---- waiting ----

  private static long await(Task task, Arguments arguments, int bits, boolean absolute) {
    boolean timed = arguments.word(3) != 0;
    Timeout timeout =
        timed && absolute ? until(task, arguments) : Timeout.read(task, arguments.word(3));
    check(task, arguments, arguments.integer(2));
    FutexTable futexes = task.table().futexes();
    FutexTable.Wait wait = futexes.begin(key(task, arguments, 0), bits);
    try {
      return task.await(
              List.of(wait.queue()),
              timeout.deadline(),
              timed ? Restart.WITHOUT_HANDLER : Restart.AS_ACTION_SAYS,
              () -> wait.isWoken() ? Optional.of(0L) : Optional.empty())
          .orElseThrow(() -> new ErrnoException(Errno.ETIMEDOUT));
    } finally {
      futexes.end(wait);
    }
  }

  private static Timeout until(Task task, Arguments arguments) {
    Duration time = Timespec.parse(task.memory().read(arguments.word(3), Timespec.SIZE));
    Duration now =
        Bits.any(arguments.integer(1), FUTEX_CLOCK_REALTIME)
            ? Duration.between(Instant.EPOCH, Instant.now())
            : Duration.ofNanos(System.nanoTime()); // which is CLOCK_MONOTONIC on Linux
    return Timeout.of(task, time.minus(now));
  }

  // ---- waking ----

  private static long wake(Task task, Arguments arguments, int bits) {
    return task.table().futexes().wake(key(task, arguments, 0), arguments.integer(2), bits);
  }

  private static long requeue(Task task, Arguments arguments) {
    int mostWoken = arguments.integer(2);
    int mostMoved = arguments.integer(3);
    if (mostWoken < 0 || mostMoved < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return task.table()
        .futexes()
        .requeue(key(task, arguments, 0), mostWoken, key(task, arguments, 4), mostMoved);
  }

  private static long wakeOp(Task task, Arguments arguments) {
    FutexTable futexes = task.table().futexes();
    FutexTable.Key first = key(task, arguments, 0);
    FutexTable.Key second = key(task, arguments, 4);
    FutexOperation operation = FutexOperation.of(arguments.integer(5));
    int before = change(task, arguments.word(4), operation);
    int woken = futexes.wake(first, arguments.integer(2), FutexTable.ANY_BITS);
    if (operation.compare(before)) {
      woken += futexes.wake(second, arguments.integer(3), FutexTable.ANY_BITS);
    }
    return woken;
  }

  /** Changes the word; returns its former value. */
  private static int change(Task task, long address, FutexOperation operation) {
    task.program().stopAll(task.table().lock());
    int before;
    do {
      before = task.memory().readInt(address);
    } while (!task.memory().compareAndSetInt(address, before, operation.apply(before)));
    return before;
  }
}
