package dev.stubpool.seccomp.bpf;

import static dev.stubpool.seccomp.bpf.BpfAssembler.NEXT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BpfAssemblerTest {

  private final BpfAssembler assembler = new BpfAssembler();

  private static void pad(BpfAssembler assembler, int count) {
    for (int i = 0; i < count; i++) {
      assembler.ldImm(i);
    }
  }

  private static BpfInstruction ja(int distance) {
    return BpfInstruction.of(0x05, distance);
  }

  private static BpfInstruction jeq(int jt, int jf) {
    return new BpfInstruction(0x15, jt, jf, 7);
  }

  @Test
  void shouldEmitEveryInstruction() {
    Label end = assembler.label("end");
    BpfProgram program =
        assembler
            .ldAbs(4)
            .ldImm(5)
            .ldLen()
            .ldxImm(6)
            .ldxLen()
            .st(1)
            .stx(2)
            .ldMem(1)
            .ldxMem(2)
            .alu(Bpf.ADD, 3)
            .aluX(Bpf.SUB)
            .neg()
            .tax()
            .txa()
            .jump(Bpf.JSET, 9, end, NEXT)
            .jumpX(Bpf.JGE, NEXT, end)
            .ja(end)
            .bind(end)
            .ret(11)
            .ret(SeccompAction.ALLOW)
            .retA()
            .assemble();

    assertThat(program.instructions())
        .containsExactly(
            BpfInstruction.of(0x20, 4),
            BpfInstruction.of(0x00, 5),
            BpfInstruction.of(0x80, 0),
            BpfInstruction.of(0x01, 6),
            BpfInstruction.of(0x81, 0),
            BpfInstruction.of(0x02, 1),
            BpfInstruction.of(0x03, 2),
            BpfInstruction.of(0x60, 1),
            BpfInstruction.of(0x61, 2),
            BpfInstruction.of(0x04, 3),
            BpfInstruction.of(0x1c, 0),
            BpfInstruction.of(0x84, 0),
            BpfInstruction.of(0x07, 0),
            BpfInstruction.of(0x87, 0),
            new BpfInstruction(0x45, 2, 0, 9),
            new BpfInstruction(0x3d, 0, 1, 0),
            ja(0),
            BpfInstruction.of(0x06, 11),
            BpfInstruction.of(0x06, 0x7fff0000),
            BpfInstruction.of(0x16, 0));
    assertThat(BpfVerifier.verify(program)).isEmpty();
  }

  @Test
  void shouldReach255Directly() {
    Label far = assembler.label("far");
    assembler.jump(Bpf.JEQ, 7, far, NEXT);
    pad(assembler, 255);
    BpfProgram program = assembler.bind(far).ret(1).assemble();

    assertThat(program.length()).isEqualTo(257);
    assertThat(program.instructions().getFirst()).isEqualTo(jeq(255, 0));
  }

  @Test
  void shouldPutATrampolineBefore256() {
    Label far = assembler.label("far");
    assembler.jump(Bpf.JEQ, 7, far, NEXT);
    pad(assembler, 256);
    BpfProgram program = assembler.bind(far).ret(1).assemble();

    assertThat(program.length()).isEqualTo(259);
    assertThat(program.instructions()).startsWith(jeq(0, 1), ja(256));
  }

  @Test
  void shouldPutTrampolinesForBothBranches() {
    Label far = assembler.label("far");
    Label further = assembler.label("further");
    assembler.jump(Bpf.JEQ, 7, far, further);
    pad(assembler, 300);
    BpfProgram program = assembler.bind(far).ret(1).bind(further).ret(2).assemble();

    assertThat(program.instructions()).startsWith(jeq(0, 1), ja(301), ja(301));
  }

  @Test
  void shouldPutOneTrampolineWhereBothBranchesAgree() {
    Label far = assembler.label("far");
    assembler.jump(Bpf.JEQ, 7, far, far);
    pad(assembler, 300);
    BpfProgram program = assembler.bind(far).ret(1).assemble();

    assertThat(program.instructions()).startsWith(jeq(0, 0), ja(300)).hasSize(303);
  }

  @Test
  void shouldSeeThatATrampolinePushesTheOtherTargetOutOfReach() {
    Label near = assembler.label("near");
    Label far = assembler.label("far");
    assembler.jump(Bpf.JEQ, 7, far, near);
    pad(assembler, 255);
    BpfProgram program = assembler.bind(near).ret(1).bind(far).ret(2).assemble();

    assertThat(program.instructions()).startsWith(jeq(1, 0), ja(256), ja(256)).hasSize(260);
  }

  @Test
  void shouldShareATrampoline() {
    Label far = assembler.label("far");
    for (int i = 0; i < 200; i++) {
      assembler.jump(Bpf.JEQ, 7, far, NEXT);
    }
    pad(assembler, 100);
    BpfProgram program = assembler.bind(far).ret(1).assemble();

    assertThat(program.length()).isEqualTo(302);
  }

  @Test
  void shouldUseAJumpThatIsThereAnyway() {
    Label far = assembler.label("far");
    assembler.jump(Bpf.JEQ, 7, far, NEXT).ret(0).ja(far);
    pad(assembler, 300);
    BpfProgram program = assembler.bind(far).ret(1).assemble();

    assertThat(program.instructions()).startsWith(jeq(1, 0)).hasSize(304);
  }

  @Test
  void shouldKeepTheWayThroughRandomLongJumps() {
    Effort.forEachSeed(
        Effort.cases(100, 3_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          List<Step> steps = randomSteps(random);
          BpfProgram program = assemble(steps);
          assertThat(BpfVerifier.verify(program)).isEmpty();

          BpfSimulator simulator = new BpfSimulator(program);
          for (int i = 0; i < 20; i++) {
            int nr = random.nextInt();
            assertThat(simulator.run(SeccompData.of(Architecture.X86_64, nr, 0)).ret())
                .as("nr %x", nr)
                .isEqualTo(follow(steps, nr));
          }
        });
  }

  /** A block of code that goes on to one of two others, or to its successor; the last one ends. */
  private record Step(int bit, int ifTrue, int ifFalse, int padding) {}

  private static List<Step> randomSteps(RandomGenerator random) {
    int count = random.nextInt(2, 400);
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < count - 1; i++) {
      steps.add(
          new Step(
              1 << random.nextInt(32),
              random.nextInt(i + 1, Math.min(count, i + 150)),
              random.nextInt(i + 1, random.nextBoolean() ? count : i + 2),
              random.nextInt(10) == 0 ? random.nextInt(30) : random.nextInt(3)));
    }
    return steps;
  }

  private static BpfProgram assemble(List<Step> steps) {
    BpfAssembler assembler = new BpfAssembler();
    List<Label> labels = new ArrayList<>();
    for (int i = 0; i <= steps.size(); i++) {
      labels.add(assembler.label("step " + i));
    }
    // X counts the steps with a weight, so that the result tells the way.
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      assembler.bind(labels.get(i)).txa().alu(Bpf.MUL, 31).alu(Bpf.ADD, i).tax();
      for (int pad = 0; pad < step.padding(); pad++) {
        assembler.ldImm(pad);
      }
      assembler
          .ldAbs(0)
          .jump(Bpf.JSET, step.bit(), labels.get(step.ifTrue()), labels.get(step.ifFalse()));
    }
    return assembler.bind(labels.getLast()).txa().retA().assemble();
  }

  private static int follow(List<Step> steps, int nr) {
    int x = 0;
    int i = 0;
    while (i < steps.size()) {
      x = x * 31 + i;
      i = (nr & steps.get(i).bit()) != 0 ? steps.get(i).ifTrue() : steps.get(i).ifFalse();
    }
    return x;
  }

  @Test
  void shouldTake4096InstructionsAndNoMore() {
    pad(assembler, 4095);
    assertThat(assembler.ret(0).assemble().length()).isEqualTo(4096);

    assembler.ret(0);
    assertThatIllegalStateException()
        .isThrownBy(assembler::assemble)
        .withMessageContaining("4097 instructions");
  }

  @Test
  void shouldRefuseAnEmptyProgram() {
    assertThatIllegalStateException().isThrownBy(assembler::assemble);
  }

  @Test
  void shouldRefuseUnboundLabels() {
    assembler.ja(assembler.label("nowhere")).ret(0);

    assertThatIllegalStateException()
        .isThrownBy(assembler::assemble)
        .withMessage("label is jumped to and not bound: nowhere");
  }

  @Test
  void shouldRefuseLabelsBehindTheEnd() {
    Label end = assembler.label("end");
    assembler.jump(Bpf.JEQ, 7, end, NEXT).ret(0).bind(end);

    assertThatIllegalStateException()
        .isThrownBy(assembler::assemble)
        .withMessage("label is bound behind the last instruction: end");
  }

  @Test
  void shouldRefuseJumpsBackward() {
    Label loop = assembler.label("loop");
    assembler.bind(loop);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> assembler.ja(loop))
        .withMessageContaining("loop");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> assembler.jump(Bpf.JEQ, 7, NEXT, loop))
        .withMessageContaining("only jumps forward");
  }

  @Test
  void shouldRefuseToBindTwice() {
    Label label = assembler.label("twice");
    assembler.bind(label);

    assertThatIllegalArgumentException().isThrownBy(() -> assembler.bind(label));
    assertThatIllegalArgumentException().isThrownBy(() -> assembler.bind(NEXT));
  }

  @Test
  void shouldRefuseLabelsOfOthers() {
    Label foreign = new BpfAssembler().label("foreign");

    assertThatIllegalArgumentException().isThrownBy(() -> assembler.bind(foreign));
    assertThatIllegalArgumentException().isThrownBy(() -> assembler.ja(foreign));
    assertThatIllegalArgumentException().isThrownBy(() -> assembler.jumpX(Bpf.JEQ, foreign, NEXT));
  }

  @Test
  void shouldRefuseWhatIsNoTest() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> assembler.jump(Bpf.JA, 0, NEXT, NEXT))
        .withMessage("not a test: 0x0");
  }
}
