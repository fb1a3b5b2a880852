package dev.stubpool.memory;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.stubpool.AddressSpace;
import dev.stubpool.MemoryFaultException;
import dev.stubpool.MemoryRange;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.diagnose.PtraceAdvice;
import dev.stubpool.memory.CopyBuffers.Buffer;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.IoVector;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.ptrace.Tracee;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Copies between a stub's memory and this process's by process_vm_readv(2) and
 * process_vm_writev(2).
 *
 * <p>According to the manual they copy each I/O vector as a whole or not at all. In fact the kernel
 * copies page by page, stops before the first page that it may not access, and returns the number
 * of bytes copied (mm/process_vm_access.c). So the address behind the copied bytes is the first
 * that could not be accessed; the next call, which begins there, confirms that by EFAULT.
 */
final class MemoryCopies {
  /**
   * The most bytes copied under one hold of the pid, which delays reaping and resetting the stub.
   */
  private static final long MOST_AT_ONCE = 1 << 20;

  private final MemoryTarget target;

  MemoryCopies(MemoryTarget target) {
    this.target = target;
  }

  /** The direction of a copy, as seen from this process. */
  enum Direction {
    READ("process_vm_readv"),
    WRITE("process_vm_writev");

    private final String call;

    Direction(String call) {
      this.call = call;
    }
  }

  /** Copies everything, or throws {@link MemoryFaultException}. */
  void copy(Direction direction, List<MemoryRange> ranges, MemorySegment local) {
    long copied = copySome(direction, ranges, local);
    if (copied < local.byteSize()) {
      throw fault(direction, addressAt(ranges, copied), copied);
    }
  }

  /** Copies up to the first address that cannot be accessed; returns how many bytes it copied. */
  long copySome(Direction direction, List<MemoryRange> ranges, MemorySegment local) {
    checkSizes(ranges, local.byteSize());
    target.checkUsable();
    long total = local.byteSize();
    if (total == 0) {
      return 0;
    }
    long mostAtOnce = local.isNative() ? MOST_AT_ONCE : CopyBuffers.BYTES;
    int range = 0;
    long within = 0;
    try (Buffer buffer = CopyBuffers.take(ranges.size(), local.isNative() ? 0 : total)) {
      long done = 0;
      while (done < total) {
        int count = 0;
        long size = 0;
        int next = range;
        long nextWithin = within;
        while (next < ranges.size() && count < Abi.IOV_MAX && size < mostAtOnce) {
          MemoryRange remote = ranges.get(next);
          long part = Math.min(remote.size() - nextWithin, mostAtOnce - size);
          if (part > 0) {
            count++;
            IoVector.set(
                buffer.vectors, (long) count * Abi.IOVEC_SIZE, remote.address() + nextWithin, part);
            size += part;
            nextWithin += part;
          }
          if (nextWithin == remote.size()) {
            next++;
            nextWithin = 0;
          }
        }
        long copied = once(direction, buffer, count, local.asSlice(done, size));
        if (copied == 0) {
          return done;
        }
        done += copied;
        if (copied == size) {
          range = next;
          within = nextWithin;
        } else {
          // Try again from there: if the page still cannot be accessed, 0 bytes are copied.
          for (within += copied; within >= ranges.get(range).size(); range++) {
            within -= ranges.get(range).size();
          }
        }
      }
      return done;
    }
  }

  /**
   * The bytes from {@code address} to the first NUL, without the NUL. Reads page by page, so the
   * pages behind that of the NUL need not be readable.
   */
  byte[] untilNul(long address, int most) {
    target.checkUsable();
    ByteArrayOutputStream before = null;
    try (Buffer buffer = CopyBuffers.take(1, AddressSpace.PAGE_SIZE)) {
      int done = 0;
      while (done < most) {
        long at = address + done;
        int size = Math.min(most - done, AddressSpace.PAGE_SIZE - pageOffset(at));
        IoVector.set(buffer.vectors, Abi.IOVEC_SIZE, at, size);
        int copied = (int) once(Direction.READ, buffer, 1, buffer.bytes.asSlice(0, size));
        if (copied == 0) {
          throw fault(Direction.READ, at, done);
        }
        int length = lengthOfString(buffer.bytes, copied);
        byte[] bytes = buffer.bytes.asSlice(0, length).toArray(JAVA_BYTE);
        if (before == null && length < copied) {
          return bytes;
        }
        if (before == null) {
          before = new ByteArrayOutputStream();
        }
        before.writeBytes(bytes);
        if (length < copied) {
          return before.toByteArray();
        }
        done += copied;
      }
    }
    throw Failures.make()
        .systemCall(
            Direction.READ.call,
            Errno.ENAMETOOLONG,
            "reading a string of stub "
                + target.tracee().pid()
                + " at 0x"
                + Long.toHexString(address),
            "there is no NUL among its first " + most + " bytes");
  }

  private static int pageOffset(long address) {
    return (int) (address & (AddressSpace.PAGE_SIZE - 1));
  }

  private static int lengthOfString(MemorySegment bytes, int size) {
    int length = 0;
    while (length < size && bytes.get(JAVA_BYTE, length) != 0) {
      length++;
    }
    return length;
  }

  /**
   * Makes one copying call; {@code local} is copied through the buffer if it is in the Java heap.
   *
   * @return how many bytes were copied; 0 if the first could not be accessed
   */
  private long once(Direction direction, Buffer buffer, int count, MemorySegment local) {
    MemorySegment offHeap = local.isNative() ? local : buffer.bytes.asSlice(0, local.byteSize());
    if (direction == Direction.WRITE && !local.isNative()) {
      offHeap.copyFrom(local);
    }
    IoVector.set(buffer.vectors, 0, offHeap.address(), offHeap.byteSize());
    long copied = underHold(direction, buffer, count, offHeap);
    if (copied < 0 && copied != -Errno.EFAULT) {
      throw failure(direction, (int) -copied, IoVector.base(buffer.vectors, Abi.IOVEC_SIZE));
    }
    if (direction == Direction.READ && !local.isNative() && copied > 0) {
      MemorySegment.copy(offHeap, 0, local, 0, copied);
    }
    return Math.max(0, copied);
  }

  /**
   * Makes the call under a hold, so that neither the pid nor the lease of the process changes
   * meanwhile.
   */
  private long underHold(Direction direction, Buffer buffer, int count, MemorySegment local) {
    Tracee tracee = target.tracee();
    if (!tracee.hold()) {
      target.checkUsable();
      return -Errno.ESRCH;
    }
    try {
      target.checkUsable();
      return direction == Direction.READ
          ? MemoryCalls.read(tracee.pid(), buffer.vectors, count, local)
          : MemoryCalls.write(tracee.pid(), buffer.vectors, count, local);
    } finally {
      tracee.release();
    }
  }

  private static void checkSizes(List<MemoryRange> ranges, long size) {
    long left = size;
    for (MemoryRange range : ranges) {
      if (range.size() > left) {
        left = -1;
        break;
      }
      left -= range.size();
    }
    if (left != 0) {
      throw new IllegalArgumentException(
          "the ranges must have as many bytes together as the segment, which has " + size);
    }
  }

  private static long addressAt(List<MemoryRange> ranges, long offset) {
    long left = offset;
    for (MemoryRange range : ranges) {
      if (left < range.size()) {
        return range.address() + left;
      }
      left -= range.size();
    }
    throw new IndexOutOfBoundsException("offset " + offset);
  }

  private String step(long address) {
    return "copying memory of stub " + target.tracee().pid() + " at 0x" + Long.toHexString(address);
  }

  private MemoryFaultException fault(Direction direction, long address, long copied) {
    return Failures.make().memoryFault(direction.call, step(address), address, copied);
  }

  private RuntimeException failure(Direction direction, int errno, long address) {
    if (errno == Errno.ESRCH) {
      Tracee tracee = target.tracee();
      return Failures.make().died(tracee.pid(), tracee.describeDeath(), step(address));
    }
    return Failures.make()
        .systemCall(
            direction.call, errno, step(address), PtraceAdvice.onCopying(direction.call, errno));
  }
}
