package dev.stubpool;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * The memory of a stub: maps and unmaps it, copies to and from it, and operates atomically on it.
 * Belongs to one lease.
 *
 * <p>Addresses and sizes are in bytes; those of mappings are multiples of {@link
 * AddressSpace#PAGE_SIZE} and within {@link StubPool#addressSpace()}. Every method throws {@link
 * LeaseClosedException} when the lease is closed, {@link StubPoolClosedException} when the pool is
 * closed, {@link StubDiedException} when the stub is dead, and {@link SystemCallException} when the
 * kernel refuses a call. All methods may be called from any thread.
 */
public interface StubMemory {
  /**
   * Maps part of a file, replacing what is mapped in the range.
   *
   * @param address the first address of the range
   * @param file a file of {@link StubPool#memoryFile} or {@link StubPool#mappable}
   * @param offset the offset in the file, in bytes, a multiple of the page size
   * @param size of the range, in bytes; accesses beyond the end of the file fault
   * @param protection which accesses are allowed
   * @param sharing whether writes go to the file
   * @param options further options
   * @throws IllegalArgumentException for an address, offset or size that is unaligned or out of
   *     range
   * @throws SystemCallException with EACCES for a SHARED mapping with WRITE of a file that was not
   *     opened with WRITE
   */
  void map(
      long address,
      Mappable file,
      long offset,
      long size,
      Protection protection,
      Sharing sharing,
      MapOption... options);

  /**
   * Maps zeroed private memory, replacing what is mapped in the range.
   *
   * @param address the first address of the range
   * @param size of the range, in bytes
   * @param protection which accesses are allowed
   * @param options further options
   * @throws IllegalArgumentException for an address or size that is unaligned or out of range
   */
  void mapAnonymous(long address, long size, Protection protection, MapOption... options);

  /**
   * Changes the protection of pages.
   *
   * @param address the first address of the range, all of whose pages must be mapped
   * @param size of the range, in bytes
   * @param protection which accesses are allowed from now on
   * @throws IllegalArgumentException for an address or size that is unaligned or out of range
   * @throws SystemCallException with ENOMEM if a page of the range is not mapped; the pages before
   *     it are changed then
   */
  void protect(long address, long size, Protection protection);

  /**
   * Unmaps all pages of a range; pages that are not mapped are ignored.
   *
   * @param address the first address of the range
   * @param size of the range, in bytes
   * @throws IllegalArgumentException for an address or size that is unaligned or out of range
   */
  void unmap(long address, long size);

  /**
   * The ranges that this library has mapped, sorted by address. Adjacent ranges with the same
   * attributes are merged if they are private anonymous memory, or adjacent in the same file. The
   * stub image is not included, nor are mappings made by the code of a compromised stub. Makes no
   * system call.
   *
   * @return a snapshot, as an immutable list
   */
  List<Mapping> mappings();

  /**
   * Copies bytes from the stub's memory until {@code to} is full, by process_vm_readv(2). The pages
   * must have the protection READ: the kernel refuses to read those that have only WRITE or
   * EXECUTE, although the CPU lets the stub itself read them.
   *
   * @param address the first address, any value
   * @param to the destination, whose size is the number of bytes
   * @throws MemoryFaultException if a page cannot be read; {@code to} then has what lies before it
   * @throws IllegalArgumentException if {@code to} is read-only
   */
  void read(long address, MemorySegment to);

  /**
   * Copies bytes from the stub's memory, as {@link #read(long, MemorySegment)} does.
   *
   * @param address the first address, any value
   * @param size the number of bytes, 0 or more
   * @return the bytes, in a new array
   * @throws MemoryFaultException if a page cannot be read
   * @throws IllegalArgumentException for a negative size
   */
  byte[] read(long address, int size);

  /**
   * Copies several ranges of the stub's memory, one after the other, into {@code to}. Makes one
   * system call for up to 1,024 ranges.
   *
   * @param from the ranges, which together must have the size of {@code to}
   * @param to the destination
   * @throws MemoryFaultException if a page cannot be read; {@code to} then has what comes before it
   * @throws IllegalArgumentException if {@code to} is read-only or of another size than the ranges
   */
  void read(List<MemoryRange> from, MemorySegment to);

  /**
   * Copies bytes as {@link #read(long, MemorySegment)} does, up to the first address that cannot be
   * read.
   *
   * @param address the first address, any value
   * @param to the destination
   * @return the number of bytes copied; if it is less than the size of {@code to}, {@code address}
   *     plus this number is the first address that cannot be read
   * @throws IllegalArgumentException if {@code to} is read-only
   */
  long readSome(long address, MemorySegment to);

  /**
   * Copies bytes as {@link #read(List, MemorySegment)} does, up to the first byte that cannot be
   * read.
   *
   * @param from the ranges, which together must have the size of {@code to}
   * @param to the destination
   * @return the number of bytes copied, in all ranges together; the byte behind them cannot be read
   * @throws IllegalArgumentException if {@code to} is read-only or of another size than the ranges
   */
  long readSome(List<MemoryRange> from, MemorySegment to);

  /**
   * Copies all of {@code from} to the stub's memory, by process_vm_writev(2). The pages must have
   * the protection WRITE.
   *
   * @param address the first address, any value
   * @param from the bytes
   * @throws MemoryFaultException if a page cannot be written; the bytes before it are written then
   * @throws IllegalArgumentException if the range overlaps the stub image
   */
  void write(long address, MemorySegment from);

  /**
   * Copies an array to the stub's memory, as {@link #write(long, MemorySegment)} does.
   *
   * @param address the first address, any value
   * @param from the bytes
   * @throws MemoryFaultException if a page cannot be written; the bytes before it are written then
   * @throws IllegalArgumentException if the range overlaps the stub image
   */
  void write(long address, byte[] from);

  /**
   * Copies {@code from} to several ranges of the stub's memory, one after the other. Makes one
   * system call for up to 1,024 ranges.
   *
   * @param to the ranges, which together must have the size of {@code from}
   * @param from the bytes
   * @throws MemoryFaultException if a page cannot be written; the bytes before it are written then
   * @throws IllegalArgumentException if a range overlaps the stub image, or the ranges have another
   *     size than {@code from}; nothing is written then
   */
  void write(List<MemoryRange> to, MemorySegment from);

  /**
   * Copies bytes as {@link #write(long, MemorySegment)} does, up to the first address that cannot
   * be written.
   *
   * @param address the first address, any value
   * @param from the bytes
   * @return the number of bytes copied; if it is less than the size of {@code from}, {@code
   *     address} plus this number is the first address that cannot be written
   * @throws IllegalArgumentException if the range overlaps the stub image
   */
  long writeSome(long address, MemorySegment from);

  /**
   * Copies bytes as {@link #write(List, MemorySegment)} does, up to the first byte that cannot be
   * written.
   *
   * @param to the ranges, which together must have the size of {@code from}
   * @param from the bytes
   * @return the number of bytes copied, in all ranges together; the byte behind them cannot be
   *     written
   * @throws IllegalArgumentException if a range overlaps the stub image, or the ranges have another
   *     size than {@code from}
   */
  long writeSome(List<MemoryRange> to, MemorySegment from);

  /**
   * Reads a string that ends with NUL. Pages behind that of the NUL are not accessed.
   *
   * @param address the address of the first byte
   * @param mostBytes the most bytes to read, including the NUL, such as 4096 for a path
   * @return the bytes of the string, without the NUL
   * @throws MemoryFaultException if a page before the NUL cannot be read
   * @throws SystemCallException with ENAMETOOLONG if there is no NUL among {@code mostBytes} bytes
   * @throws IllegalArgumentException if {@code mostBytes} is not positive
   */
  byte[] readUntilNul(long address, int mostBytes);

  /**
   * Reads a string as {@link #readUntilNul} does, and decodes it as UTF-8. Invalid bytes become
   * U+FFFD; use {@link #readUntilNul} for strings that need not be UTF-8, such as file names.
   *
   * @param address the address of the first byte
   * @param mostBytes the most bytes to read, including the NUL
   * @return the string, without the NUL
   * @throws MemoryFaultException if a page before the NUL cannot be read
   * @throws SystemCallException with ENAMETOOLONG if there is no NUL among {@code mostBytes} bytes
   * @throws IllegalArgumentException if {@code mostBytes} is not positive
   */
  String readString(long address, int mostBytes);

  /**
   * Reads 32 bits atomically, like {@link VarHandle#getVolatile}, from a {@link MemoryFile} that is
   * mapped {@link Sharing#SHARED}. This method and those below make no system call. They are atomic
   * with respect to guests of all stubs that map the file and to threads of this JVM. They succeed
   * only where the protection of the stub's own mapping allows the access.
   *
   * @param address a multiple of 4; for the methods for 64 bits, a multiple of 8
   * @return the value
   * @throws IllegalArgumentException if the address is not such a multiple
   * @throws MemoryFaultException if the stub itself could not access the address: nothing is mapped
   *     there, the protection does not allow it, or it is beyond the end of the file
   * @throws NotSharedMemoryException for all other memory, which this JVM does not have mapped
   * @throws IllegalStateException if the memory file is closed
   */
  int getInt(long address);

  /**
   * Writes 32 bits atomically, like {@link VarHandle#setVolatile}; errors as for {@link #getInt}.
   *
   * @param address a multiple of 4
   * @param value the value to write
   */
  void putInt(long address, int value);

  /**
   * Writes {@code value} if the word equals {@code expected}, atomically; errors as for {@link
   * #getInt}.
   *
   * @param address a multiple of 4
   * @param expected the value that the word must have
   * @param value the value to write
   * @return the value before, which is {@code expected} if {@code value} was written
   */
  int compareAndExchangeInt(long address, int expected, int value);

  /**
   * Adds to a word atomically; errors as for {@link #getInt}.
   *
   * @param address a multiple of 4
   * @param delta the value to add; an overflow wraps around
   * @return the value before
   */
  int getAndAddInt(long address, int delta);

  /**
   * Replaces a word atomically; errors as for {@link #getInt}.
   *
   * @param address a multiple of 4
   * @param value the value to write
   * @return the value before
   */
  int getAndSetInt(long address, int value);

  /**
   * Does as {@link #getInt} does, for 64 bits.
   *
   * @param address a multiple of 8
   * @return the value
   */
  long getLong(long address);

  /**
   * Does as {@link #putInt} does, for 64 bits.
   *
   * @param address a multiple of 8
   * @param value the value to write
   */
  void putLong(long address, long value);

  /**
   * Does as {@link #compareAndExchangeInt} does, for 64 bits.
   *
   * @param address a multiple of 8
   * @param expected the value that the word must have
   * @param value the value to write
   * @return the value before, which is {@code expected} if {@code value} was written
   */
  long compareAndExchangeLong(long address, long expected, long value);

  /**
   * Does as {@link #getAndAddInt} does, for 64 bits.
   *
   * @param address a multiple of 8
   * @param delta the value to add; an overflow wraps around
   * @return the value before
   */
  long getAndAddLong(long address, long delta);

  /**
   * Does as {@link #getAndSetInt} does, for 64 bits.
   *
   * @param address a multiple of 8
   * @param value the value to write
   * @return the value before
   */
  long getAndSetLong(long address, long value);
}
