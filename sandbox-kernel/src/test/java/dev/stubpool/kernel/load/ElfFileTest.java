package dev.stubpool.kernel.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ElfFileTest {
  private static final int SIZE = 0x2000;
  private static final int FIRST = 64;
  private static final int SECOND = FIRST + ElfFile.PROGRAM_HEADER_SIZE;

  /** Code at 0x400000, and data behind it of which a part is 0. */
  private static ByteBuffer valid() {
    ByteBuffer elf = Struct.allocate(SIZE);
    elf.putInt(0, 0x464c_457f).put(4, (byte) 2).put(5, (byte) 1).put(6, (byte) 1);
    elf.putShort(16, (short) 2).putShort(18, (short) 62).putLong(24, 0x40_0100).putLong(32, FIRST);
    elf.putShort(54, (short) 56).putShort(56, (short) 2);
    header(elf, FIRST, 5, 0, 0x40_0000, 0x1000, 0x1000);
    header(elf, SECOND, 6, 0x1080, 0x40_2080, 0x100, 0x3000);
    return elf;
  }

  private static void header(
      ByteBuffer elf, int at, int flags, long offset, long address, long fileSize, long size) {
    elf.putInt(at, 1).putInt(at + 4, flags).putLong(at + 8, offset).putLong(at + 16, address);
    elf.putLong(at + 32, fileSize).putLong(at + 40, size).putLong(at + 48, 0x1000);
  }

  private static ElfFile read(byte[] bytes) throws ElfException {
    return ElfFile.read((to, position) -> read(bytes, to, position), bytes.length);
  }

  private static int read(byte[] bytes, ByteBuffer to, long position) {
    int size = Math.clamp(bytes.length - position, 0, to.remaining());
    to.put(bytes, Math.clamp(position, 0, bytes.length), size);
    return size;
  }

  @Test
  void shouldReadAProgram() throws ElfException {
    ElfFile elf = read(Struct.bytes(valid()));

    assertThat(elf.relocatable()).isFalse();
    assertThat(elf.entry()).isEqualTo(0x40_0100);
    assertThat(elf.headersAddress()).isEqualTo(0x40_0040);
    assertThat(elf.headers()).isEqualTo(2);
    assertThat(elf.start()).isEqualTo(0x40_0000);
    assertThat(elf.end()).isEqualTo(0x40_6000);
    assertThat(elf.executableStack()).isFalse();
    Segment data = elf.segments().getLast();
    assertThat(data.start()).isEqualTo(0x40_2000);
    assertThat(data.fileEnd()).isEqualTo(0x40_3000);
  }

  private static Arguments wrong(String message, UnaryOperator<ByteBuffer> change) {
    return Arguments.of(message, Struct.bytes(change.apply(valid())));
  }

  private static Arguments cut(String message, int size) {
    return Arguments.of(message, Arrays.copyOf(Struct.bytes(valid()), size));
  }

  static Stream<Arguments> malformed() {
    return Stream.of(
        cut("is not an ELF program", 0),
        cut("is not an ELF program", 3),
        cut("is truncated: it ends within the ELF header", 5),
        cut("is truncated: it ends within the ELF header", 63),
        cut("is truncated: it ends before its program headers do", 100),
        cut("is truncated: it has 4096 bytes, its program header 1 wants 4480", 4096),
        wrong("is not an ELF program", elf -> elf.putInt(0, 0x1234)),
        wrong("is not a 64-bit program", elf -> elf.put(4, (byte) 1)),
        wrong("is a program for a big-endian machine", elf -> elf.put(5, (byte) 2)),
        wrong(
            "is a program for another machine (e_machine 183)",
            elf -> elf.putShort(18, (short) 183)),
        wrong("is an ELF file but no program (e_type 1)", elf -> elf.putShort(16, (short) 1)),
        wrong("is malformed: program headers of 32 bytes", elf -> elf.putShort(54, (short) 32)),
        wrong("is malformed: 0 program headers", elf -> elf.putShort(56, (short) 0)),
        wrong("is malformed: 65535 program headers", elf -> elf.putShort(56, (short) -1)),
        wrong(
            "is truncated: it ends before its program headers do",
            elf -> elf.putLong(32, Long.MAX_VALUE)),
        wrong("is truncated: it ends before its program headers do", elf -> elf.putLong(32, -1)),
        wrong("has no entry point: it is a shared library", elf -> elf.putLong(24, 0)),
        wrong(
            "is malformed: nothing of it is to be loaded",
            elf -> elf.putInt(FIRST, 4).putInt(SECOND, 4)),
        wrong(
            "is dynamically linked, and only static programs can be run: link it with -static",
            elf -> elf.putInt(FIRST, 3)),
        wrong(
            "is malformed: program header 1 has more in the file than in memory",
            elf -> elf.putLong(SECOND + 40, 0xff)),
        wrong(
            "is malformed: program header 1 has an offset that cannot be mapped to its address",
            elf -> elf.putLong(SECOND + 8, 0x1081)),
        wrong(
            "is malformed: program header 1 has a part of the file that no file has",
            elf -> elf.putLong(SECOND + 8, -0x80)),
        wrong(
            "is malformed: program header 1 is to be loaded where no memory is",
            elf -> elf.putLong(SECOND + 16, 0xffff_ffff_8000_0080L)),
        wrong(
            "is malformed: program header 1 is to be loaded where no memory is",
            elf -> elf.putLong(SECOND + 40, Long.MAX_VALUE)),
        wrong(
            "is malformed: program header 1 overlaps the one before, or is below it",
            elf -> elf.putLong(SECOND + 16, 0x40_0080)),
        wrong(
            "is truncated: it has 8192 bytes, its program header 1 wants 12416",
            elf -> elf.putLong(SECOND + 32, 0x2000)));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void shouldSayWhatIsWrong(String message, byte[] bytes) {
    assertThatThrownBy(() -> read(bytes)).isInstanceOf(ElfException.class).hasMessage(message);
  }
}
