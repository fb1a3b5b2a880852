package dev.stubpool.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class SeccompDataTest {

  private static final SeccompData DATA =
      new SeccompData(
          0x01020304,
          0xc000003e,
          0x1111222233334444L,
          0xa000000000000001L,
          0xb000000000000002L,
          0xc000000000000003L,
          0xd000000000000004L,
          0xe000000000000005L,
          0xf000000000000006L);

  @Test
  void shouldLieInMemoryAsTheKernelLaysItOut() {
    ByteBuffer memory = ByteBuffer.allocate(SeccompData.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    memory.putInt(DATA.nr()).putInt(DATA.arch()).putLong(DATA.instructionPointer());
    for (int i = 0; i < SeccompData.ARGUMENTS; i++) {
      memory.putLong(DATA.argument(i));
    }

    for (int offset = 0; offset < SeccompData.SIZE; offset += 4) {
      assertThat(DATA.word(offset)).isEqualTo(memory.getInt(offset));
    }
    for (SeccompField field : SeccompField.values()) {
      assertThat(memory.getLong(field.lowOffset())).isEqualTo(DATA.value(field));
      assertThat(field.highOffset()).isEqualTo(field.lowOffset() + 4);
    }
    assertThat(memory.getInt(SeccompData.NR_OFFSET)).isEqualTo(DATA.nr());
    assertThat(memory.getInt(SeccompData.ARCH_OFFSET)).isEqualTo(DATA.arch());
  }

  @Test
  void shouldRefuseOtherOffsets() {
    for (int offset : new int[] {-4, 1, 2, 3, 62, 64, 0xfffff000}) {
      assertThatIllegalArgumentException().isThrownBy(() -> DATA.word(offset));
    }
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> DATA.argument(6));
  }

  @Test
  void shouldFillUpWithZeros() {
    assertThat(SeccompData.of(Architecture.I386, 5, 6, 7, 8))
        .isEqualTo(new SeccompData(5, 0x40000003, 6, 7, 8, 0, 0, 0, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SeccompData.of(Architecture.I386, 0, 0, 1, 2, 3, 4, 5, 6, 7));
  }

  @Test
  void shouldKnowArchitectures() {
    assertThat(Architecture.of(0xc000003e, 1)).contains(Architecture.X86_64);
    assertThat(Architecture.of(0xc000003e, -1)).contains(Architecture.X86_64);
    assertThat(Architecture.of(0xc000003e, 0x80000001)).contains(Architecture.X86_64);
    assertThat(Architecture.of(0xc000003e, 0x40000001)).contains(Architecture.X32);
    assertThat(Architecture.of(0xc000003e, -2)).contains(Architecture.X32);
    assertThat(Architecture.of(0x40000003, 0x40000001)).contains(Architecture.I386);
    assertThat(Architecture.of(0xc00000b7, 1)).contains(Architecture.AARCH64);
    assertThat(Architecture.of(0xc00000b8, 1)).isEmpty();
  }
}
