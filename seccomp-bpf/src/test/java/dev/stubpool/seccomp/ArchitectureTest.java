package dev.stubpool.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ArchitectureTest {

  private static final int LITTLE_ENDIAN = 0x40000000;
  private static final int IS_64_BIT = 0x80000000;
  private static final int N32 = 0x20000000;

  /** AUDIT_ARCH values as linux/audit.h puts them together, of the numbers of linux/elf-em.h. */
  @ParameterizedTest
  @CsvSource({
    "X86_64, 62, true, x86_64",
    "X32, 62, true, x32",
    "I386, 3, false, x86",
    "AARCH64, 183, true, aarch64",
    "ARM, 40, false, arm",
    "RISCV64, 243, true, riscv64",
    "RISCV32, 243, false, riscv32",
    "LOONGARCH64, 258, true, loongarch64",
    "MIPSEL, 8, false, mipsel",
    "MIPSEL64, 8, true, mipsel64",
    "MIPSEL64N32, 8, true, mipsel64n32",
    "PPC64LE, 21, true, ppc64le",
    "SH, 42, false, sh",
  })
  void shouldHaveTheAuditValue(Architecture architecture, int machine, boolean is64, String label) {
    int convention = architecture == Architecture.MIPSEL64N32 ? N32 : 0;

    assertThat(architecture.auditValue())
        .isEqualTo(machine | LITTLE_ENDIAN | (is64 ? IS_64_BIT : 0) | convention);
    assertThat(architecture.bits()).isEqualTo(is64 ? 64 : 32);
    assertThat(Architecture.ofLabel(label)).contains(architecture);
  }

  @ParameterizedTest
  @EnumSource
  void shouldBeFoundByAuditValueAndNumber(Architecture architecture) {
    int nr = architecture == Architecture.X32 ? Architecture.X32_BIT : 0;

    assertThat(Architecture.of(architecture.auditValue(), nr)).contains(architecture);
  }

  @Test
  void shouldTellX32ByTheNumber() {
    int value = Architecture.X86_64.auditValue();

    assertThat(Architecture.of(value, 0x3fffffff)).contains(Architecture.X86_64);
    assertThat(Architecture.of(value, 0x40000000)).contains(Architecture.X32);
    assertThat(Architecture.of(value, 0x80000000)).contains(Architecture.X86_64);
    assertThat(Architecture.of(value, -2)).contains(Architecture.X32);
    assertThat(Architecture.of(value, -1)).contains(Architecture.X86_64);
    assertThat(Architecture.of(0, 0)).isEmpty();
  }
}
