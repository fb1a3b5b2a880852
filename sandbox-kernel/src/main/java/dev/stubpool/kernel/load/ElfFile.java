package dev.stubpool.kernel.load;

import dev.stubpool.AddressSpace;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The headers of a static x86-64 executable, elf(5).
 *
 * @param relocatable whether it may be loaded at any address (static-PIE)
 * @param entry the address of its first instruction
 * @param segments the segments to load, by address
 * @param headersAddress the address of its program headers in memory; 0 if no segment contains them
 * @param headers the number of program headers
 * @param alignment the alignment of its load address, a multiple of the page size
 * @param executableStack whether it requires an executable stack
 */
record ElfFile(
    boolean relocatable,
    long entry,
    List<Segment> segments,
    long headersAddress,
    int headers,
    long alignment,
    boolean executableStack) {

  /** The size of a program header in bytes. */
  static final int PROGRAM_HEADER_SIZE = 56;

  private static final int HEADER_SIZE = 64;
  private static final int MAGIC = 0x464c_457f;
  private static final int CLASS_64 = 2;
  private static final int LITTLE_ENDIAN = 1;
  private static final int ET_EXEC = 2;
  private static final int ET_DYN = 3;
  private static final int EM_X86_64 = 62;
  private static final int PT_LOAD = 1;
  private static final int PT_INTERP = 3;
  private static final int PT_PHDR = 6;
  private static final int PT_GNU_STACK = 0x6474_e551;
  private static final int PF_X = 1;

  /** The limit for the program headers in bytes, that of Linux's fs/binfmt_elf.c. */
  private static final int MOST_HEADER_BYTES = 65536;

  /** The limit for addresses, which avoids overflow of sums of addresses and sizes. */
  private static final long ADDRESS_LIMIT = 1L << 47;

  /** The first address after its last segment. */
  long end() {
    return segments.getLast().end();
  }

  /** The first address of its first segment. */
  long start() {
    return segments.getFirst().start();
  }

  /** A file from which a program is read. */
  @FunctionalInterface
  interface Source {
    /** pread(2): reads into the buffer, and returns the number of bytes in it. */
    int read(ByteBuffer to, long position);
  }

  /**
   * Reads the headers of a program.
   *
   * @param size the size of the file in bytes
   * @throws ElfException if it cannot be loaded
   */
  static ElfFile read(Source file, long size) throws ElfException {
    ByteBuffer header = read(file, 0, HEADER_SIZE);
    checkKind(header);
    require(header.remaining() == HEADER_SIZE, "is truncated: it ends within the ELF header");
    int type = header.getShort(16);
    int machine = Short.toUnsignedInt(header.getShort(18));
    require(machine == EM_X86_64, "is a program for another machine (e_machine " + machine + ")");
    require(
        type == ET_EXEC || type == ET_DYN, "is an ELF file but no program (e_type " + type + ")");
    long entry = header.getLong(24);
    long headersOffset = header.getLong(32);
    int headerSize = Short.toUnsignedInt(header.getShort(54));
    int count = Short.toUnsignedInt(header.getShort(56));
    require(
        headerSize == PROGRAM_HEADER_SIZE,
        "is malformed: program headers of " + headerSize + " bytes");
    require(
        count > 0 && count * PROGRAM_HEADER_SIZE <= MOST_HEADER_BYTES,
        "is malformed: " + count + " program headers");
    require(
        headersOffset >= 0 && headersOffset <= size - (long) count * PROGRAM_HEADER_SIZE,
        "is truncated: it ends before its program headers do");
    ByteBuffer table = read(file, headersOffset, count * PROGRAM_HEADER_SIZE);
    return parse(type == ET_DYN, entry, headersOffset, count, table, size);
  }

  private static void checkKind(ByteBuffer header) throws ElfException {
    require(
        header.remaining() >= Integer.BYTES && header.getInt(0) == MAGIC, "is not an ELF program");
    require(header.remaining() > 5, "is truncated: it ends within the ELF header");
    require(header.get(4) == CLASS_64, "is not a 64-bit program");
    require(header.get(5) == LITTLE_ENDIAN, "is a program for a big-endian machine");
  }

  private static ElfFile parse(
      boolean relocatable, long entry, long headersOffset, int count, ByteBuffer table, long size)
      throws ElfException {
    List<Segment> segments = new ArrayList<>();
    long headersAddress = 0;
    long alignment = AddressSpace.PAGE_SIZE;
    boolean executableStack = false;
    for (int i = 0; i < count; i++) {
      int at = i * PROGRAM_HEADER_SIZE;
      int type = table.getInt(at);
      int flags = table.getInt(at + 4);
      long address = table.getLong(at + 16);
      switch (type) {
        case PT_INTERP ->
            throw new ElfException(
                Errno.ENOENT, // as if there were no dynamic loader
                "is dynamically linked, and only static programs can be run: link it with -static");
        case PT_PHDR -> headersAddress = address;
        case PT_GNU_STACK -> executableStack = (flags & PF_X) != 0;
        case PT_LOAD -> {
          Segment segment =
              new Segment(
                  address,
                  table.getLong(at + 8),
                  table.getLong(at + 32),
                  table.getLong(at + 40),
                  flags);
          if (segment.memorySize() != 0) {
            check(segment, i, segments, size);
            segments.add(segment);
            alignment = Math.max(alignment, powerOfTwo(table.getLong(at + 48)));
          }
        }
        default -> {}
      }
    }
    require(!segments.isEmpty(), "is malformed: nothing of it is to be loaded");
    if (headersAddress == 0) {
      headersAddress = addressOf(headersOffset, segments);
    }
    require(entry != 0, "has no entry point: it is a shared library");
    return new ElfFile(
        relocatable,
        entry,
        List.copyOf(segments),
        headersAddress,
        count,
        alignment,
        executableStack);
  }

  private static void check(Segment segment, int index, List<Segment> before, long size)
      throws ElfException {
    String name = "is malformed: program header " + index + " ";
    require(
        segment.offset() >= 0
            && segment.fileSize() >= 0
            && segment.offset() <= ADDRESS_LIMIT
            && segment.fileSize() <= ADDRESS_LIMIT,
        name + "has a part of the file that no file has");
    require(
        segment.address() >= 0
            && segment.memorySize() > 0
            && segment.address() <= ADDRESS_LIMIT
            && segment.memorySize() <= ADDRESS_LIMIT - segment.address(),
        name + "is to be loaded where no memory is");
    require(
        segment.fileSize() <= segment.memorySize(), name + "has more in the file than in memory");
    require(
        (segment.address() - segment.offset()) % AddressSpace.PAGE_SIZE == 0,
        name + "has an offset that cannot be mapped to its address");
    require(
        segment.offset() + segment.fileSize() <= size,
        "is truncated: it has "
            + size
            + " bytes, its program header "
            + index
            + " wants "
            + (segment.offset() + segment.fileSize()));
    require(
        before.isEmpty() || before.getLast().end() <= segment.start(),
        name + "overlaps the one before, or is below it");
  }

  private static long powerOfTwo(long alignment) {
    return Long.bitCount(alignment) == 1 && alignment > 0 && alignment <= 1L << 30 ? alignment : 0;
  }

  private static long addressOf(long offset, List<Segment> segments) {
    return segments.stream()
        .filter(s -> offset >= s.offset() && offset < s.offset() + s.fileSize())
        .mapToLong(s -> s.address() + offset - s.offset())
        .findFirst()
        .orElse(0);
  }

  private static void require(boolean holds, String message) throws ElfException {
    if (!holds) {
      throw new ElfException(message);
    }
  }

  /** Reads the part of [offset, offset + size) that is in the file. */
  private static ByteBuffer read(Source file, long offset, int size) {
    ByteBuffer buffer = Struct.allocate(size);
    while (buffer.hasRemaining() && file.read(buffer, offset + buffer.position()) > 0) {
      // Continues after a short read.
    }
    return buffer.flip();
  }
}
