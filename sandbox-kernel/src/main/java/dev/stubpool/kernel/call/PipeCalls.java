package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.EventFile;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.Pipe;
import dev.stubpool.kernel.process.Task;

/** System calls that create unnamed files: pipes, counters, memory. */
final class PipeCalls {
  private static final int EFD_SEMAPHORE = 1;
  private static final int MFD_CLOEXEC = 1;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int MFD_NOEXEC_SEAL = 8;
  private static final int MFD_EXEC = 0x10;

  /** The limit for a name, so that it fits into NAME_MAX together with "memfd:" and a 0. */
  private static final int MOST_NAME = 249;

  private PipeCalls() {}

  /** pipe(2). */
  static long pipe(Task task, Arguments arguments) {
    return pipe(task, arguments.word(0), 0);
  }

  /** pipe2, pipe(2). */
  static long pipe2(Task task, Arguments arguments) {
    checkFlags(arguments.integer(1), OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK);
    return pipe(task, arguments.word(0), arguments.integer(1));
  }

  private static long pipe(Task task, long address, int flags) {
    DescriptorTable descriptors = task.process().descriptors();
    boolean closeOnExec = Bits.any(flags, OpenFlags.O_CLOEXEC);
    Pipe pipe = task.table().files().pipes().pipe();
    OpenFile reader = pipe.reader(flags & OpenFlags.O_NONBLOCK);
    OpenFile writer = pipe.writer(flags & OpenFlags.O_NONBLOCK);
    writer.hold();
    try {
      int read = descriptors.add(reader, closeOnExec);
      int write = -1;
      try {
        write = descriptors.add(writer, closeOnExec);
        task.memory()
            .write(
                address,
                Struct.bytes(Struct.allocate(2 * Integer.BYTES).putInt(read).putInt(write)));
      } catch (ErrnoException e) {
        descriptors.close(read);
        if (write >= 0) {
          descriptors.close(write);
        }
        throw e;
      }
    } finally {
      writer.release();
    }
    return 0;
  }

  /** memfd_create(2), without seals. */
  static long memfdCreate(Task task, Arguments arguments) {
    int flags = arguments.integer(1);
    checkFlags(flags, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC);
    String name = arguments.string(0);
    if (name.length() > MOST_NAME) {
      throw new ErrnoException(Errno.EINVAL);
    }
    OpenFile file = task.table().files().memoryObject(name, task.process().identity());
    return task.process().descriptors().add(file, Bits.any(flags, MFD_CLOEXEC));
  }

  /** eventfd(2). */
  static long eventfd(Task task, Arguments arguments) {
    return eventfd(task, arguments.integer(0), 0);
  }

  /** eventfd2, eventfd(2). */
  static long eventfd2(Task task, Arguments arguments) {
    checkFlags(arguments.integer(1), OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK | EFD_SEMAPHORE);
    return eventfd(task, arguments.integer(0), arguments.integer(1));
  }

  private static long eventfd(Task task, int count, int flags) {
    OpenFile file =
        new EventFile(
            Integer.toUnsignedLong(count),
            Bits.any(flags, EFD_SEMAPHORE),
            flags & OpenFlags.O_NONBLOCK);
    return task.process().descriptors().add(file, Bits.any(flags, OpenFlags.O_CLOEXEC));
  }

  private static void checkFlags(int flags, int known) {
    if ((flags & ~known) != 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  /** System calls on sockets: EBADF or ENOTSOCK, because there are none. */
  static long notSocket(Task task, Arguments arguments) {
    OpenFile _ = Descriptors.opened(task, arguments.integer(0));
    throw new ErrnoException(Errno.ENOTSOCK);
  }
}
