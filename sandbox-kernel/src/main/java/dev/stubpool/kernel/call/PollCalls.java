package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException.Restart;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.sync.WaitQueue;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/** System calls that wait for several files: poll(2) and select(2). */
final class PollCalls {
  /** The size of a {@code struct pollfd} in bytes: descriptor, events, returned events. */
  private static final int POLLFD_SIZE = 8;

  private static final int EVENTS_AT = 4;
  private static final int HAPPENED_AT = 6;
  private static final int ALWAYS = Poll.POLLERR | Poll.POLLHUP;

  // The events that select(2) counts as readable, writable and exceptional.
  private static final int[] SELECTED = {
    Poll.POLLRDNORM | Poll.POLLRDBAND | Poll.POLLIN | Poll.POLLHUP | Poll.POLLERR,
    Poll.POLLWRBAND | Poll.POLLWRNORM | Poll.POLLOUT | Poll.POLLERR,
    Poll.POLLPRI,
  };

  private static final int MICROS_IN_SECOND = 1_000_000;
  private static final int NANOS_IN_MICRO = 1000;

  private PollCalls() {}

  // ---- poll ----

  /** poll(2). */
  static long poll(Task task, Arguments arguments) {
    return poll(task, arguments, Timeout.ofMillis(task, arguments.integer(2)));
  }

  /** ppoll, poll(2). */
  static long ppoll(Task task, Arguments arguments) {
    Timeout timeout = Timeout.read(task, arguments.word(2));
    return masked(
        task,
        arguments.word(3),
        arguments.word(4),
        () ->
            tellingTimeLeft(
                task, arguments.word(2), timeout, false, () -> poll(task, arguments, timeout)));
  }

  /** A descriptor of poll(2); without a file if it is not open. */
  private record Polled(Optional<OpenFile> file, int events) {
    int happened() {
      return file.map(open -> open.readiness() & (events | ALWAYS)).orElse(Poll.POLLNVAL);
    }
  }

  private static long poll(Task task, Arguments arguments, Timeout timeout) {
    int count = arguments.integer(1);
    DescriptorTable descriptors = task.process().descriptors();
    if (count < 0 || count > descriptors.limit()) {
      throw new ErrnoException(Errno.EINVAL);
    }
    ByteBuffer fds = task.memory().readStructure(arguments.word(0), count * POLLFD_SIZE);
    Polled[] polled = new Polled[count];
    for (int i = 0; i < count; i++) {
      int number = fds.getInt(i * POLLFD_SIZE);
      if (number >= 0) {
        polled[i] = new Polled(descriptors.find(number), fds.getShort(i * POLLFD_SIZE + EVENTS_AT));
      }
    }
    long ready = await(task, queues(polled), timeout, () -> look(polled, fds));
    task.memory().write(arguments.word(0), Struct.bytes(fds));
    return ready;
  }

  private static List<WaitQueue> queues(Polled... polled) {
    List<WaitQueue> queues = new ArrayList<>();
    for (Polled one : polled) {
      if (one != null) {
        one.file().ifPresent(file -> queues.add(file.waiters()));
      }
    }
    return queues;
  }

  /** Stores the returned events; returns the number of ready descriptors. */
  private static long look(Polled[] polled, ByteBuffer fds) {
    int ready = 0;
    for (int i = 0; i < polled.length; i++) {
      int happened = polled[i] == null ? 0 : polled[i].happened();
      fds.putShort(i * POLLFD_SIZE + HAPPENED_AT, (short) happened);
      ready += happened == 0 ? 0 : 1;
    }
    return ready;
  }

  /** Waits until something is ready; returns the number, or 0 after the timeout. */
  private static long await(Task task, List<WaitQueue> queues, Timeout timeout, LongSupplier look) {
    return task.await(
            queues,
            timeout.deadline(),
            Restart.WITHOUT_HANDLER,
            () -> {
              long ready = look.getAsLong();
              return ready == 0 ? Optional.<Long>empty() : Optional.of(ready);
            })
        .orElse(0L);
  }

  // ---- select ----

  /** select(2). */
  static long select(Task task, Arguments arguments) {
    long address = arguments.word(4);
    Timeout timeout = address == 0 ? Timeout.NEVER : Timeout.of(task, readTimeval(task, address));
    return tellingTimeLeft(task, address, timeout, true, () -> select(task, arguments, timeout));
  }

  private static Duration readTimeval(Task task, long address) {
    ByteBuffer timeval = task.memory().readStructure(address, Timespec.SIZE);
    long seconds = timeval.getLong();
    long micros = timeval.getLong();
    if (seconds < 0 || micros < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    long more = micros / MICROS_IN_SECOND;
    return Duration.ofSeconds(Math.min(seconds, Long.MAX_VALUE - more) + more)
        .plusNanos(micros % MICROS_IN_SECOND * NANOS_IN_MICRO);
  }

  /** pselect6, select(2): the last argument points to the mask's address and size. */
  static long pselect6(Task task, Arguments arguments) {
    long address = arguments.word(4);
    Timeout timeout = Timeout.read(task, address);
    long mask = 0;
    long maskSize = 0;
    if (arguments.word(5) != 0) {
      ByteBuffer pair = task.memory().readStructure(arguments.word(5), 2 * Long.BYTES);
      mask = pair.getLong();
      maskSize = pair.getLong();
    }
    return masked(
        task,
        mask,
        maskSize,
        () ->
            tellingTimeLeft(task, address, timeout, false, () -> select(task, arguments, timeout)));
  }

  /**
   * A descriptor of select(2).
   *
   * @param sets a bit for each set that contains it
   */
  private record Selected(int number, OpenFile file, int sets) {
    boolean isIn(int set) {
      return (sets >> set & 1) != 0;
    }
  }

  private static long select(Task task, Arguments arguments, Timeout timeout) {
    int limit = arguments.integer(0);
    if (limit < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    int count = Math.min(limit, DescriptorTable.LIMIT);
    int size = Math.ceilDiv(count, Long.SIZE) * Long.BYTES;
    BitSet[] asked = new BitSet[SELECTED.length];
    for (int i = 0; i < asked.length; i++) {
      long address = arguments.word(1 + i);
      asked[i] = address == 0 ? new BitSet() : BitSet.valueOf(task.memory().read(address, size));
    }
    List<Selected> files = selected(task, count, asked);
    List<WaitQueue> queues = files.stream().map(one -> one.file().waiters()).toList();
    BitSet[] ready = new BitSet[SELECTED.length];
    long result = await(task, queues, timeout, () -> look(files, ready));
    for (int i = 0; i < ready.length; i++) {
      if (arguments.word(1 + i) != 0) {
        byte[] set = Struct.bytes(Struct.allocate(size).put(ready[i].toByteArray()));
        task.memory().write(arguments.word(1 + i), set);
      }
    }
    return result;
  }

  private static List<Selected> selected(Task task, int count, BitSet... asked) {
    List<Selected> files = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      int sets = 0;
      for (int i = 0; i < asked.length; i++) {
        sets |= asked[i].get(number) ? 1 << i : 0;
      }
      if (sets != 0) {
        files.add(new Selected(number, Descriptors.opened(task, number), sets));
      }
    }
    return files;
  }

  /** Fills the sets of ready descriptors; returns the number of bits set. */
  private static long look(List<Selected> files, BitSet... ready) {
    int count = 0;
    for (int i = 0; i < ready.length; i++) {
      ready[i] = new BitSet();
    }
    for (Selected one : files) {
      int readiness = one.file().readiness();
      for (int i = 0; i < ready.length; i++) {
        if (one.isIn(i) && Bits.any(readiness, SELECTED[i])) {
          ready[i].set(one.number());
          count++;
        }
      }
    }
    return count;
  }

  // ---- masks and times ----

  /** Runs a call with the signal mask at an address, unless that is 0. */
  static long masked(Task task, long address, long size, LongSupplier call) {
    if (address == 0) {
      return call.getAsLong();
    }
    if (size != Long.BYTES) {
      throw new ErrnoException(Errno.EINVAL);
    }
    task.signals().maskForCall(task.memory().readLong(address));
    return call.getAsLong();
  }

  /**
   * Runs a call, then writes the remaining time to the address of its timeout, unless that is null.
   */
  private static long tellingTimeLeft(
      Task task, long address, Timeout timeout, boolean isTimeval, LongSupplier call) {
    try {
      return call.getAsLong();
    } finally {
      if (address != 0 && !timeout.equals(Timeout.NEVER)) {
        tellTimeLeft(task, address, timeout, isTimeval);
      }
    }
  }

  private static void tellTimeLeft(Task task, long address, Timeout timeout, boolean isTimeval) {
    Duration left = timeout.left();
    try {
      task.memory().write(address, isTimeval ? Timespec.timeval(left) : Timespec.timespec(left));
    } catch (ErrnoException _) {
      // Ignored as by Linux: the time may lie in read-only memory.
    }
  }
}
