package dev.stubpool.seccomp.bpf;

import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.DIVISION_BY_ZERO;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.FINAL_RETURN;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.JUMP_TARGET;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.LENGTH;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.LOAD_OFFSET;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.MEMORY_INDEX;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.OPCODE;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.SHIFT;
import static dev.stubpool.seccomp.bpf.BpfVerifier.Rule.UNINITIALISED_MEMORY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The kernel's rules one by one. That they are the kernel's is shown by {@link KernelVerdictIT}.
 */
class BpfVerifierTest {

  static final BpfInstruction ALLOW = op(0x06, 0x7fff0000);

  private static final List<Integer> LEGAL_OPCODES =
      Stream.concat(RandomPrograms.OPCODES.stream(), RandomPrograms.RETURNS.stream()).toList();

  static BpfInstruction op(int code, int k) {
    return BpfInstruction.of(code, k);
  }

  static BpfInstruction jump(int code, int jt, int jf) {
    return new BpfInstruction(code, jt, jf, 0);
  }

  /** One instruction with operands that suit every opcode, and enough behind it to jump to. */
  static List<BpfInstruction> programWith(int code) {
    List<BpfInstruction> program = new ArrayList<>(List.of(op(0x02, 4), op(code, 4)));
    program.addAll(Collections.nCopies(5, ALLOW));
    return program;
  }

  @Test
  void shouldTakeExactlyTheOpcodesThatTheKernelTakes() {
    List<Integer> taken =
        IntStream.range(0, 0x10000)
            .filter(code -> BpfVerifier.verify(programWith(code)).isEmpty())
            .boxed()
            .toList();

    assertThat(LEGAL_OPCODES).hasSize(41);
    assertThat(taken).containsExactlyInAnyOrderElementsOf(LEGAL_OPCODES);
  }

  @Test
  void shouldNameTheBadOpcode() {
    BpfVerifier.Violation violation =
        BpfVerifier.verify(BpfProgram.of(ALLOW, op(0x94, 3), ALLOW)).orElseThrow();

    assertThat(violation.rule()).isEqualTo(OPCODE);
    assertThat(violation.index()).isEqualTo(1);
    assertThat(violation).hasToString("instruction 1: opcode 0x0094 has no meaning here");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4097, 65535})
  void shouldRefuseLength(int length) {
    BpfVerifier.Violation violation =
        BpfVerifier.verify(Collections.nCopies(length, ALLOW)).orElseThrow();

    assertThat(violation.rule()).isEqualTo(LENGTH);
    assertThat(violation.index()).isEqualTo(-1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4096})
  void shouldTakeLength(int length) {
    assertThat(BpfVerifier.verify(Collections.nCopies(length, ALLOW))).isEmpty();
  }

  static final List<Arguments> REFUSED =
      List.of(
          arguments(LOAD_OFFSET, 0, List.of(op(0x20, 64), ALLOW)),
          arguments(LOAD_OFFSET, 0, List.of(op(0x20, 62), ALLOW)),
          arguments(LOAD_OFFSET, 0, List.of(op(0x20, 1), ALLOW)),
          arguments(LOAD_OFFSET, 0, List.of(op(0x20, -4), ALLOW)),
          arguments(LOAD_OFFSET, 0, List.of(op(0x20, 0xfffff000), ALLOW)),
          arguments(DIVISION_BY_ZERO, 1, List.of(op(0x00, 1), op(0x34, 0), ALLOW)),
          arguments(SHIFT, 0, List.of(op(0x64, 32), ALLOW)),
          arguments(SHIFT, 0, List.of(op(0x74, 32), ALLOW)),
          arguments(SHIFT, 0, List.of(op(0x74, -1), ALLOW)),
          arguments(MEMORY_INDEX, 0, List.of(op(0x02, 16), ALLOW)),
          arguments(MEMORY_INDEX, 0, List.of(op(0x03, 16), ALLOW)),
          arguments(MEMORY_INDEX, 0, List.of(op(0x60, 16), ALLOW)),
          arguments(MEMORY_INDEX, 0, List.of(op(0x61, -1), ALLOW)),
          arguments(JUMP_TARGET, 0, List.of(op(0x05, 1), ALLOW)),
          arguments(JUMP_TARGET, 1, List.of(ALLOW, op(0x05, -1), ALLOW)),
          arguments(JUMP_TARGET, 1, List.of(ALLOW, op(0x05, -2), ALLOW)),
          arguments(JUMP_TARGET, 0, List.of(jump(0x15, 0, 1), ALLOW)),
          arguments(JUMP_TARGET, 0, List.of(jump(0x3d, 1, 0), ALLOW)),
          arguments(JUMP_TARGET, 1, List.of(ALLOW, jump(0x15, 0, 0))),
          arguments(JUMP_TARGET, 0, List.of(op(0x05, 0))),
          arguments(FINAL_RETURN, 1, List.of(ALLOW, op(0x00, 0))),
          arguments(UNINITIALISED_MEMORY, 0, List.of(op(0x60, 0), ALLOW)),
          arguments(UNINITIALISED_MEMORY, 0, List.of(op(0x61, 0), ALLOW)),
          arguments(UNINITIALISED_MEMORY, 1, List.of(op(0x02, 1), op(0x60, 0), ALLOW)),
          // Stored on one of two ways only.
          arguments(
              UNINITIALISED_MEMORY,
              3,
              List.of(jump(0x15, 0, 1), op(0x05, 1), op(0x02, 3), op(0x60, 3), ALLOW)),
          // Dead code behind a return is judged by the way to that return.
          arguments(UNINITIALISED_MEMORY, 1, List.of(ALLOW, op(0x60, 0), ALLOW)),
          // A dead jump counts as a way, with what was stored on the way to the return before it.
          arguments(
              UNINITIALISED_MEMORY,
              3,
              List.of(ALLOW, op(0x05, 1), op(0x02, 0), op(0x60, 0), ALLOW)));

  @ParameterizedTest
  @FieldSource("REFUSED")
  void shouldRefuse(BpfVerifier.Rule rule, int index, List<BpfInstruction> program) {
    BpfVerifier.Violation violation = BpfVerifier.verify(program).orElseThrow();

    assertThat(violation.rule()).isEqualTo(rule);
    assertThat(violation.index()).isEqualTo(index);
    assertThatThrownBy(() -> BpfVerifier.requireValid(new BpfProgram(program)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(violation.reason());
  }

  static final List<List<BpfInstruction>> TAKEN =
      List.of(
          List.of(op(0x20, 60), op(0x16, 0)),
          List.of(op(0x34, 1), ALLOW),
          List.of(op(0x3c, 0), ALLOW),
          List.of(op(0x64, 31), op(0x74, 31), op(0x6c, 99), ALLOW),
          List.of(op(0x02, 15), op(0x60, 15), op(0x03, 0), op(0x61, 0), ALLOW),
          List.of(op(0x05, 0), ALLOW),
          List.of(jump(0x15, 0, 1), ALLOW, ALLOW),
          // jt and jf of what is no conditional jump.
          List.of(new BpfInstruction(0x20, 255, 255, 0), new BpfInstruction(0x06, 9, 9, 0)),
          // Unreachable code.
          List.of(ALLOW, ALLOW, ALLOW),
          // Dead code behind a jump: everything counts as stored.
          List.of(op(0x05, 1), op(0x60, 0), ALLOW),
          List.of(jump(0x15, 1, 1), op(0x60, 0), ALLOW),
          // Stored on both ways.
          List.of(
              jump(0x15, 0, 2), op(0x02, 3), op(0x05, 1), op(0x03, 3), op(0x60, 3), op(0x16, 0)));

  @ParameterizedTest
  @FieldSource("TAKEN")
  void shouldTake(List<BpfInstruction> program) {
    assertThat(BpfVerifier.verify(program)).isEmpty();
    assertThat(BpfVerifier.requireValid(new BpfProgram(program)).length())
        .isEqualTo(program.size());
  }

  @ParameterizedTest
  @MethodSource("longestJumps")
  void shouldTakeTheLongestJumps(BpfInstruction jump, boolean legal) {
    List<BpfInstruction> program = new ArrayList<>(List.of(jump));
    program.addAll(Collections.nCopies(256, ALLOW));

    assertThat(BpfVerifier.verify(program).isEmpty()).isEqualTo(legal);
  }

  static Stream<Arguments> longestJumps() {
    return Stream.of(
        arguments(jump(0x15, 255, 255), true),
        arguments(op(0x05, 255), true),
        arguments(op(0x05, 256), false));
  }
}
