package dev.stubpool.kernel.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SystemCallNamesTest {
  /** Of the ends and the middles of the table's lines, from asm/unistd_64.h. */
  @ParameterizedTest
  @CsvSource({
    "0, read",
    "12, brk",
    "59, execve",
    "158, arch_prctl",
    "231, exit_group",
    "257, openat",
    "318, getrandom",
    "334, rseq",
    "424, pidfd_send_signal",
    "435, clone3",
    "462, mseal"
  })
  void shouldKnowNumbers(int number, String name) {
    assertThat(SystemCallNames.name(number)).isEqualTo(name);
    assertThat(SystemCallNames.number(name)).isEqualTo(number);
  }

  @Test
  void shouldNotKnowOthers() {
    assertThat(SystemCallNames.name(335)).isEqualTo("syscall_0x14f");
    assertThat(SystemCallNames.name(-1)).isEqualTo("syscall_0xffffffff");
    assertThatIllegalArgumentException().isThrownBy(() -> SystemCallNames.number("frobnicate"));
  }
}
