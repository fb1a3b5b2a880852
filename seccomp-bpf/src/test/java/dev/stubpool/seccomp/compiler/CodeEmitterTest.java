package dev.stubpool.seccomp.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** When a word is loaded again, and when not. */
class CodeEmitterTest {

  private final CodeEmitter code = new CodeEmitter();

  private long loadsOf(int offset) {
    code.ret(SeccompAction.ALLOW);
    return code.assemble().stream()
        .filter(BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, offset)::equals)
        .count();
  }

  @Test
  void shouldNotLoadWhatIsThere() {
    Label next = code.label("next");
    code.load(16);
    code.storeScratch(0);
    code.copyToX();
    code.load(16);
    code.jump(Bpf.JEQ, 1, next, next);
    code.bind(next);
    code.load(16);

    assertThat(loadsOf(16)).isOne();
  }

  static final List<Consumer<CodeEmitter>> CHANGES_OF_A =
      List.of(
          code -> code.load(20),
          code -> code.loadScratch(0),
          code -> code.alu(Bpf.AND, 1),
          code -> code.aluX(Bpf.ADD));

  @ParameterizedTest
  @FieldSource("CHANGES_OF_A")
  void shouldLoadAgainWhatWasLost(Consumer<CodeEmitter> change) {
    code.load(16);
    change.accept(code);
    code.load(16);

    assertThat(loadsOf(16)).isEqualTo(2);
  }

  @Test
  void shouldLoadAgainWhereOneJumpBringsSomethingElse() {
    Label other = code.label("other");
    Label meeting = code.label("meeting");
    code.load(16);
    code.jump(Bpf.JEQ, 1, meeting, other);
    code.bind(other);
    code.load(20);
    code.jump(meeting);
    code.bind(meeting);
    code.load(16);

    assertThat(loadsOf(16)).isEqualTo(2);
  }

  @Test
  void shouldLoadAgainWhereTheCodeAboveBringsSomethingElse() {
    Label other = code.label("other");
    Label meeting = code.label("meeting");
    code.load(16);
    code.jump(Bpf.JEQ, 1, meeting, other);
    code.bind(other);
    code.load(20);
    code.bind(meeting);
    code.load(16);

    assertThat(loadsOf(16)).isEqualTo(2);
  }

  @Test
  void shouldIgnoreCodeThatDoesNotFallThrough() {
    Label other = code.label("other");
    Label meeting = code.label("meeting");
    code.load(16);
    code.jump(Bpf.JEQ, 1, meeting, other);
    code.bind(other);
    code.load(20);
    code.ret(SeccompAction.TRAP);
    code.bind(meeting);
    code.load(16);

    assertThat(loadsOf(16)).isOne();
  }
}
