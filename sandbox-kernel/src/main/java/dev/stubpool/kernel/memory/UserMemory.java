package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.StubMemory;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Copies to and from a program's memory. An address is the program's word: what cannot be copied is
 * EFAULT.
 */
public final class UserMemory {
  /** Bytes of a path with its 0. */
  public static final int PATH_MAX = 4096;

  private final StubMemory memory;
  private final AddressSpace space;

  /** Copies of one stub's memory. */
  public UserMemory(StubMemory memory, AddressSpace space) {
    this.memory = memory;
    this.space = space;
  }

  /** Copies {@code size} bytes from the program. */
  public byte[] read(long address, int size) {
    byte[] bytes = new byte[size];
    read(address, MemorySegment.ofArray(bytes));
    return bytes;
  }

  /** Copies from the program whatever the buffer has room for. */
  public void read(long address, ByteBuffer to) {
    read(address, MemorySegment.ofBuffer(to));
  }

  private void read(long address, MemorySegment to) {
    check(address, to.byteSize());
    try {
      memory.read(address, to);
    } catch (SystemCallException e) {
      throw new ErrnoException(Errno.of(e.errno()));
    }
  }

  /** Copies to the program what is left in the buffer, which stays as it is. */
  public void write(long address, ByteBuffer from) {
    write(address, MemorySegment.ofBuffer(from));
  }

  /** Copies to the program. */
  public void write(long address, byte... from) {
    write(address, MemorySegment.ofArray(from));
  }

  private void write(long address, MemorySegment from) {
    check(address, from.byteSize());
    try {
      memory.write(address, from);
    } catch (SystemCallException e) {
      throw new ErrnoException(Errno.of(e.errno()));
    }
  }

  private void check(long address, long size) {
    if (size != 0 && !space.contains(address, size)) {
      throw new ErrnoException(Errno.EFAULT);
    }
  }

  /** A structure of the program's. */
  public ByteBuffer readStructure(long address, int size) {
    return Struct.view(read(address, size));
  }

  /** A word of the program's. */
  public long readLong(long address) {
    return readStructure(address, Long.BYTES).getLong();
  }

  /** Writes a word. */
  public void writeLong(long address, long value) {
    write(address, Struct.bytes(Struct.allocate(Long.BYTES).putLong(value)));
  }

  /**
   * A path or another string that ends with a 0 byte.
   *
   * @throws ErrnoException ENAMETOOLONG if it has {@link #PATH_MAX} bytes or more
   */
  public String readString(long address) {
    byte[] bytes = new byte[PATH_MAX];
    int size = 0;
    while (size < PATH_MAX) {
      long from = address + size;
      // Page by page: the next one need not be there.
      int part = (int) Math.min(PATH_MAX - size, Pages.down(from) + AddressSpace.PAGE_SIZE - from);
      byte[] read = read(from, part);
      for (int i = 0; i < part; i++) {
        if (read[i] == 0) {
          return new String(bytes, 0, size + i, StandardCharsets.UTF_8);
        }
        bytes[size + i] = read[i];
      }
      size += part;
    }
    throw new ErrnoException(Errno.ENAMETOOLONG);
  }

  /** The bytes of a string, with a 0 at the end. */
  public static byte[] terminated(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return Arrays.copyOf(bytes, bytes.length + 1);
  }
}
