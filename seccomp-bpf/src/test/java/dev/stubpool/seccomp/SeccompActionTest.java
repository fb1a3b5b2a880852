package dev.stubpool.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.stubpool.seccomp.SeccompAction.Kind;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class SeccompActionTest {

  static final List<Arguments> VALUES =
      List.of(
          arguments(SeccompAction.KILL_PROCESS, 0x80000000, "KILL_PROCESS"),
          arguments(SeccompAction.KILL_THREAD, 0, "KILL_THREAD"),
          arguments(SeccompAction.TRAP, 0x30000, "TRAP(0)"),
          arguments(SeccompAction.trap(0xffff), 0x3ffff, "TRAP(65535)"),
          arguments(SeccompAction.errno(0), 0x50000, "ERRNO(0)"),
          arguments(SeccompAction.errno(4095), 0x50fff, "ERRNO(4095)"),
          arguments(SeccompAction.USER_NOTIF, 0x7fc00000, "USER_NOTIF"),
          arguments(SeccompAction.trace(3), 0x7ff00003, "TRACE(3)"),
          arguments(SeccompAction.LOG, 0x7ffc0000, "LOG"),
          arguments(SeccompAction.ALLOW, 0x7fff0000, "ALLOW"));

  @ParameterizedTest
  @FieldSource("VALUES")
  void shouldEncodeAndDecode(SeccompAction action, int value, String text) {
    assertThat(action.encode()).isEqualTo(value);
    assertThat(SeccompAction.decode(value)).isEqualTo(action);
    assertThat(action).hasToString(text);
  }

  @ParameterizedTest
  @CsvSource({
    // Unknown actions kill.
    "0x7fffffff, 0x7fff0000",
    "0x12340000, 0x80000000",
    "0x00010000, 0x80000000",
    "0xffffffff, 0x80000000",
    // Data that has no effect is dropped, errno is capped.
    "0x7fff1234, 0x7fff0000",
    "0x00000001, 0x00000000",
    "0x80000001, 0x80000000",
    "0x0005ffff, 0x00050fff",
    "0x00051000, 0x00050fff",
  })
  void shouldDecodeAsTheKernelDoes(String value, String meaning) {
    assertThat(SeccompAction.decode(Long.decode(value).intValue()).encode())
        .isEqualTo(Long.decode(meaning).intValue());
  }

  @Test
  void shouldCheckData() {
    assertThatIllegalArgumentException().isThrownBy(() -> SeccompAction.errno(4096));
    assertThatIllegalArgumentException().isThrownBy(() -> SeccompAction.errno(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> SeccompAction.trap(0x10000));
    assertThatIllegalArgumentException().isThrownBy(() -> SeccompAction.trace(0x10000));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new SeccompAction(Kind.ALLOW, 1))
        .withMessage("data of ALLOW must be 0 to 0: 1");
  }

  /** The lowest value wins, compared as signed. */
  @Test
  void shouldDeclareKindsInOrderOfPrecedence() {
    assertThat(Kind.values())
        .isSortedAccordingTo(
            Comparator.comparingInt((Kind kind) -> new SeccompAction(kind, 0).encode()));
  }
}
