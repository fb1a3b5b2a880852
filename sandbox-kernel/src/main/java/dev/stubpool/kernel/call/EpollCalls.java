package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.file.EpollFile;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.process.Task;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/** The system calls of epoll(7). */
final class EpollCalls {
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLL_CTL_DEL = 2;
  private static final int EPOLL_CTL_MOD = 3;

  /** Bytes of a {@code struct epoll_event}, which is packed: events, data. */
  private static final int EVENT_SIZE = 12;

  private static final int MOST_EVENTS = Integer.MAX_VALUE / EVENT_SIZE;

  private EpollCalls() {}

  /** epoll_create(2). */
  static long create(Task task, Arguments arguments) {
    if (arguments.integer(0) <= 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return task.process().descriptors().add(task.table().files().epoll(), false);
  }

  /** epoll_create1, epoll_create(2). */
  static long create1(Task task, Arguments arguments) {
    int flags = arguments.integer(0);
    if ((flags & ~OpenFlags.O_CLOEXEC) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return task.process()
        .descriptors()
        .add(task.table().files().epoll(), Bits.any(flags, OpenFlags.O_CLOEXEC));
  }

  /** epoll_ctl(2). */
  static long ctl(Task task, Arguments arguments) {
    int operation = arguments.integer(1);
    int number = arguments.integer(2);
    int events = 0;
    long data = 0;
    if (operation != EPOLL_CTL_DEL) {
      ByteBuffer event = task.memory().readStructure(arguments.word(3), EVENT_SIZE);
      events = event.getInt();
      data = event.getLong();
    }
    OpenFile epoll = Descriptors.opened(task, arguments.integer(0));
    OpenFile file = Descriptors.opened(task, number);
    if (!file.isPollable()) {
      throw new ErrnoException(Errno.EPERM);
    }
    EpollFile items = epoll(epoll);
    switch (operation) {
      case EPOLL_CTL_ADD -> items.add(number, file, events, data);
      case EPOLL_CTL_MOD -> items.modify(number, file, events, data);
      case EPOLL_CTL_DEL -> items.delete(number, file);
      default -> throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }

  private static EpollFile epoll(OpenFile file) {
    if (file instanceof EpollFile epoll) {
      return epoll;
    }
    throw new ErrnoException(Errno.EINVAL);
  }

  /** epoll_wait(2). */
  static long wait(Task task, Arguments arguments) {
    return wait(task, arguments, Timeout.ofMillis(task, arguments.integer(3)));
  }

  /** epoll_pwait, epoll_wait(2). */
  static long pwait(Task task, Arguments arguments) {
    return PollCalls.masked(
        task, arguments.word(4), arguments.word(5), () -> wait(task, arguments));
  }

  /** epoll_pwait2, epoll_wait(2). */
  static long pwait2(Task task, Arguments arguments) {
    Timeout timeout = Timeout.read(task, arguments.word(3));
    return PollCalls.masked(
        task, arguments.word(4), arguments.word(5), () -> wait(task, arguments, timeout));
  }

  private static long wait(Task task, Arguments arguments, Timeout timeout) {
    int most = arguments.integer(2);
    if (most <= 0 || most > MOST_EVENTS) {
      throw new ErrnoException(Errno.EINVAL);
    }
    EpollFile epoll = epoll(Descriptors.opened(task, arguments.integer(0)));
    epoll.hold();
    try {
      List<EpollFile.Event> events =
          task.await(
                  List.of(epoll.waiters()),
                  timeout.deadline(),
                  Restart.WITHOUT_HANDLER,
                  () -> Optional.of(epoll.take(most)).filter(taken -> !taken.isEmpty()))
              .orElse(List.of());
      task.memory().write(arguments.word(1), bytes(events));
      return events.size();
    } finally {
      epoll.release();
    }
  }

  private static byte[] bytes(List<EpollFile.Event> events) {
    ByteBuffer buffer = Struct.allocate(events.size() * EVENT_SIZE);
    events.forEach(event -> buffer.putInt(event.events()).putLong(event.data()));
    return Struct.bytes(buffer);
  }
}
