package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.NotSharedMemoryException;
import dev.stubpool.StubMemory;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * Copies data to and from a program's memory. Addresses are untrusted: inaccessible memory causes
 * EFAULT. Buffers are used from position to limit, which are not changed.
 */
public final class UserMemory {
  /** The limit for a path in bytes, including the terminating 0. */
  public static final int PATH_MAX = 4096;

  /**
   * The limit for one argument of a program in bytes, including the terminating 0, MAX_ARG_STRLEN.
   */
  public static final int MOST_ARGUMENT = 128 << 10;

  private final StubMemory memory;
  private final AddressSpace space;

  /** Creates access to a stub's memory. */
  public UserMemory(StubMemory memory, AddressSpace space) {
    this.memory = memory;
    this.space = space;
  }

  // ---- all or nothing ----

  /** Copies {@code size} bytes from the program. */
  public byte[] read(long address, int size) {
    byte[] bytes = new byte[size];
    read(address, MemorySegment.ofArray(bytes));
    return bytes;
  }

  /** Fills the buffer from the program. */
  public void read(long address, ByteBuffer to) {
    read(address, MemorySegment.ofBuffer(to));
  }

  private void read(long address, MemorySegment to) {
    if (readSome(address, to) < to.byteSize()) {
      throw new ErrnoException(Errno.EFAULT);
    }
  }

  /** Copies the remaining bytes of the buffer to the program. */
  public void write(long address, ByteBuffer from) {
    write(address, MemorySegment.ofBuffer(from));
  }

  /** Copies to the program. */
  public void write(long address, byte... from) {
    write(address, MemorySegment.ofArray(from));
  }

  private void write(long address, MemorySegment from) {
    if (writeSome(address, from) < from.byteSize()) {
      throw new ErrnoException(Errno.EFAULT);
    }
  }

  // ---- as much as possible ----

  /**
   * Copies from the program until the buffer is full or an address is not readable.
   *
   * @return the number of bytes copied
   * @throws ErrnoException EFAULT if the buffer has room and no byte was copied
   */
  public int readSome(long address, ByteBuffer to) {
    return readSome(address, MemorySegment.ofBuffer(to));
  }

  private int readSome(long address, MemorySegment to) {
    MemorySegment part = to.asSlice(0, reachable(address, to.byteSize()));
    return to.byteSize() == 0 ? 0 : some(part, () -> memory.readSome(address, part));
  }

  /**
   * Copies to the program until the buffer is empty or an address is not writable.
   *
   * @return the number of bytes copied
   * @throws ErrnoException EFAULT if the buffer is not empty and no byte was copied
   */
  public int writeSome(long address, ByteBuffer from) {
    return writeSome(address, MemorySegment.ofBuffer(from));
  }

  private int writeSome(long address, MemorySegment from) {
    MemorySegment part = from.asSlice(0, reachable(address, from.byteSize()));
    return from.byteSize() == 0 ? 0 : some(part, () -> memory.writeSome(address, part));
  }

  private static int some(MemorySegment part, LongSupplier copy) {
    long copied;
    try {
      copied = part.byteSize() == 0 ? 0 : copy.getAsLong();
    } catch (SystemCallException e) {
      throw ErrnoException.of(e);
    }
    if (copied == 0) {
      throw new ErrnoException(Errno.EFAULT);
    }
    return (int) copied;
  }

  /** The number of bytes from an address that are in user memory, up to the stub image. */
  private long reachable(long address, long size) {
    if (address < space.lowest()
        || address >= space.highest()
        || (address >= space.imageStart() && address < space.imageEnd())) {
      return 0;
    }
    long end = address < space.imageStart() ? space.imageStart() : space.highest();
    return Math.min(size, end - address);
  }

  // ---- structures and words ----

  /** Reads a structure. */
  public ByteBuffer readStructure(long address, int size) {
    return Struct.view(read(address, size));
  }

  /** Reads a word. */
  public long readLong(long address) {
    return readStructure(address, Long.BYTES).getLong();
  }

  /** Writes a word. */
  public void writeLong(long address, long value) {
    write(address, Struct.bytes(Struct.allocate(Long.BYTES).putLong(value)));
  }

  /** Reads a 32-bit word. */
  public int readInt(long address) {
    return readStructure(address, Integer.BYTES).getInt();
  }

  /** Writes a 32-bit word. */
  public void writeInt(long address, int value) {
    write(address, Struct.bytes(Struct.allocate(Integer.BYTES).putInt(value)));
  }

  /**
   * Replaces an aligned 32-bit word if it has the expected value. Atomic in memory that is shared
   * with other processes; elsewhere only while no guest runs in this memory.
   *
   * @return whether it had the expected value
   */
  public boolean compareAndSetInt(long address, int expected, int value) {
    if (reachable(address, Integer.BYTES) < Integer.BYTES) {
      throw new ErrnoException(Errno.EFAULT);
    }
    try {
      return memory.compareAndExchangeInt(address, expected, value) == expected;
    } catch (NotSharedMemoryException _) {
      boolean same = readInt(address) == expected;
      if (same) {
        writeInt(address, value);
      }
      return same;
    } catch (SystemCallException e) {
      throw ErrnoException.of(e);
    }
  }

  // ---- strings ----

  /**
   * Reads a path or another 0-terminated string, decoded by {@link GuestString}.
   *
   * @throws ErrnoException ENAMETOOLONG if it has {@link #PATH_MAX} bytes or more
   */
  public String readString(long address) {
    return readString(address, PATH_MAX, Errno.ENAMETOOLONG);
  }

  /**
   * Reads an argument of a program.
   *
   * @throws ErrnoException E2BIG if it has {@link #MOST_ARGUMENT} bytes or more
   */
  public String readArgument(long address) {
    return readString(address, MOST_ARGUMENT, Errno.E2BIG);
  }

  private String readString(long address, int most, Errno tooLong) {
    int size = (int) reachable(address, most);
    if (size == 0) {
      throw new ErrnoException(Errno.EFAULT);
    }
    try {
      return GuestString.of(memory.readUntilNul(address, size));
    } catch (SystemCallException e) {
      Errno errno = Errno.of(e.errno());
      throw new ErrnoException(
          errno != Errno.ENAMETOOLONG ? errno : size < most ? Errno.EFAULT : tooLong);
    }
  }

  /**
   * Reads a string, truncated to a limit.
   *
   * @param most the limit in bytes, including the terminating 0
   */
  public String readName(long address, int most) {
    byte[] bytes = new byte[most];
    int read = readSome(address, ByteBuffer.wrap(bytes));
    int size = 0;
    while (size < Math.min(read, most - 1) && bytes[size] != 0) {
      size++;
    }
    if (size == read && read < most - 1) {
      throw new ErrnoException(Errno.EFAULT);
    }
    return GuestString.of(Arrays.copyOf(bytes, size));
  }

  /** The bytes of a string with a terminating 0. */
  public static byte[] terminated(String text) {
    byte[] bytes = GuestString.bytes(text);
    return Arrays.copyOf(bytes, bytes.length + 1);
  }
}
