package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.stubpool.CopyBuffers.Buffer;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.IoVector;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.trace.PtraceAdvice;
import dev.stubpool.trace.Tracee;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Copies between a stub's memory and this process's by process_vm_readv(2) and
 * process_vm_writev(2).
 *
 * <p>The manual says that they copy whole I/O vectors or nothing of one. The kernel is better: it
 * goes page by page, stops before the first that it may not access, and tells what it has done. So
 * what follows the bytes it copied is the first address that could not be accessed, which the next
 * call, beginning there, confirms.
 */
final class MemoryCopies {
  /** Bytes copied under one hold, which holds off the tracer's reaping and recycling. */
  private static final long MOST_AT_ONCE = 1 << 20;

  private final Stub stub;

  MemoryCopies(Stub stub) {
    this.stub = stub;
  }

  /** Which way. */
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

  /** How many bytes could be copied before an address that cannot be accessed, if there is one. */
  long copySome(Direction direction, List<MemoryRange> ranges, MemorySegment local) {
    checkSizes(ranges, local.byteSize());
    stub.checkUsable();
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
          // Once more from there, to learn why: it may have been for the moment.
          for (within += copied; within >= ranges.get(range).size(); range++) {
            within -= ranges.get(range).size();
          }
        }
      }
      return done;
    }
  }

  /**
   * The bytes from {@code address} to the first NUL, without it. Reads page by page, so that
   * nothing behind the NUL's page need be readable.
   */
  byte[] untilNul(long address, int most) {
    stub.checkUsable();
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
    throw new SystemCallException(
        Direction.READ.call,
        Errno.ENAMETOOLONG,
        "reading a string of stub " + stub.pid() + " at 0x" + Long.toHexString(address),
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

  /** One call, by way of the buffer if the kernel does not reach {@code local}. 0 is a fault. */
  private long once(Direction direction, Buffer buffer, int count, MemorySegment local) {
    MemorySegment reached = local.isNative() ? local : buffer.bytes.asSlice(0, local.byteSize());
    if (direction == Direction.WRITE && !local.isNative()) {
      reached.copyFrom(local);
    }
    IoVector.set(buffer.vectors, 0, reached.address(), reached.byteSize());
    long copied = underHold(direction, buffer, count, reached);
    if (copied < 0 && copied != -Errno.EFAULT) {
      throw failure(direction, (int) -copied, IoVector.base(buffer.vectors, Abi.IOVEC_SIZE));
    }
    if (direction == Direction.READ && !local.isNative() && copied > 0) {
      MemorySegment.copy(reached, 0, local, 0, copied);
    }
    return Math.max(0, copied);
  }

  /** So that the process keeps its pid and its lease for the length of the call. */
  private long underHold(Direction direction, Buffer buffer, int count, MemorySegment local) {
    Tracee tracee = stub.process().tracee;
    if (!tracee.hold()) {
      stub.checkUsable();
      return -Errno.ESRCH;
    }
    try {
      stub.checkUsable();
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
    return "copying memory of stub " + stub.pid() + " at 0x" + Long.toHexString(address);
  }

  private MemoryFaultException fault(Direction direction, long address, long copied) {
    return new MemoryFaultException(direction.call, step(address), address, copied);
  }

  private RuntimeException failure(Direction direction, int errno, long address) {
    if (errno == Errno.ESRCH) {
      String how = stub.process().tracee.death();
      return new StubDiedException(stub.pid(), how == null ? "being killed" : how, step(address));
    }
    return new SystemCallException(
        direction.call, errno, step(address), PtraceAdvice.onCopying(direction.call, errno));
  }
}
