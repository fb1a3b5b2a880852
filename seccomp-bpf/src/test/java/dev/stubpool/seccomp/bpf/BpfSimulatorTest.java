package dev.stubpool.seccomp.bpf;

import static dev.stubpool.seccomp.bpf.BpfAssembler.NEXT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is easily got wrong. That all of it is the kernel's is shown by {@link KernelRunIT}. */
class BpfSimulatorTest {

  private static final SeccompData DATA = SeccompData.of(Architecture.X86_64, 39, 0x1000, 1, 2);

  private static BpfSimulator.Result run(BpfAssembler assembler) {
    return BpfSimulator.run(assembler.assemble(), DATA);
  }

  @Test
  void shouldKillTheThreadOnDivisionByZero() {
    assertThat(run(new BpfAssembler().ldImm(5).aluX(Bpf.DIV).ret(SeccompAction.ALLOW)))
        .isEqualTo(new BpfSimulator.Result(0, SeccompAction.KILL_THREAD, 2));
  }

  @Test
  void shouldReportTheLengthOfTheData() {
    assertThat(run(new BpfAssembler().ldLen().retA()).ret()).isEqualTo(64);
    assertThat(run(new BpfAssembler().ldxLen().txa().retA()).ret()).isEqualTo(64);
  }

  @Test
  void shouldBeginWithZeros() {
    assertThat(run(new BpfAssembler().retA()).ret()).isZero();
    assertThat(run(new BpfAssembler().ldImm(7).txa().retA()).ret()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "0x60, 1, 33, 2",
    "0x60, 1, 32, 1",
    "0x60, 1, 0xffffffff, 0x80000000",
    "0x70, 0x80000000, 31, 1",
    "0x70, 0x80000000, 64, 0x80000000",
    "0x30, 0xffffffff, 2, 0x7fffffff",
    "0x30, 2, 0xffffffff, 0",
    "0x10, 1, 2, 0xffffffff",
    "0x20, 0x10000, 0x10001, 0x10000",
  })
  void shouldCalculateUnsigned(String operation, String a, String x, String result) {
    BpfAssembler assembler =
        new BpfAssembler().ldImm(word(a)).ldxImm(word(x)).aluX(word(operation)).retA();

    assertThat(run(assembler).ret()).isEqualTo(word(result));
  }

  private static int word(String text) {
    return Long.decode(text).intValue();
  }

  @Test
  void shouldCompareUnsigned() {
    for (int test : new int[] {Bpf.JGT, Bpf.JGE}) {
      BpfAssembler assembler = new BpfAssembler();
      Label greater = assembler.label("greater");
      assembler.ldImm(-1).jump(test, 1, greater, NEXT).ret(0).bind(greater).ret(1);

      assertThat(run(assembler).ret()).isOne();
    }
  }

  @Test
  void shouldCountSteps() {
    BpfAssembler assembler = new BpfAssembler();
    Label end = assembler.label("end");
    assembler.ldAbs(0).jump(Bpf.JEQ, 39, end, NEXT).ret(0).bind(end).ret(SeccompAction.ALLOW);

    assertThat(run(assembler))
        .isEqualTo(new BpfSimulator.Result(0x7fff0000, SeccompAction.ALLOW, 3));
  }

  @Test
  void shouldRefuseWhatTheKernelRefuses() {
    assertThatIllegalArgumentException().isThrownBy(() -> run(new BpfAssembler().ldImm(1)));
  }
}
