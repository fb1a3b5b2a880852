package dev.stubpool.seccomp.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfAssembler;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.seccomp.bpf.RandomPrograms;
import dev.stubpool.seccomp.compiler.RandomPolicies;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.testing.Effort;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** What all inputs get, against {@link BpfSimulator}, which takes them one by one. */
class BpfMeaningTest {

  /** So small that random programs with a product do not take long to give up. */
  private static final int MAX_NODES = 30_000;

  private static BpfMeaning meaning(BpfAssembler assembler) {
    BpfProgram program = assembler.assemble();
    return BpfMeaning.of(InputSets.forPrograms(program), program);
  }

  @Test
  void shouldReturnWhatTheSimulatorReturns() {
    int[] counts = {0, 0};
    Effort.forEachSeed(
        Effort.cases(800, 30_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          BpfProgram program = RandomPrograms.valid(random, random.nextInt(2, 30));
          counts[0]++;
          try {
            InputSets sets = InputSets.of(List.of(program), List.of(), MAX_NODES);
            BpfMeaning meaning = BpfMeaning.of(sets, program);
            for (int i = 0; i < 20; i++) {
              assertReturns(program, meaning, data(random));
            }
          } catch (UndecidedException _) {
            counts[1]++;
          }
        });

    // Else little would be shown.
    assertThat(counts[1]).isLessThan(counts[0] / 10);
  }

  private static void assertReturns(BpfProgram program, BpfMeaning meaning, SeccompData data) {
    BpfSimulator.Result result = BpfSimulator.run(program, data);
    assertThat(meaning.returned(result.ret()).contains(data))
        .as("%s returned for %s by%n%s", result, data, program)
        .isTrue();
    assertThat(meaning.answered(result.action()).contains(data)).isTrue();
    assertThat(meaning.answered(result.action().kind()).contains(data)).isTrue();
    assertThat(meaning.returned(result.ret() ^ 1).contains(data)).isFalse();
    for (SeccompAction.Kind kind : SeccompAction.Kind.values()) {
      if (kind != result.action().kind()) {
        assertThat(meaning.answered(kind).contains(data)).isFalse();
      }
    }
  }

  private static SeccompData data(RandomGenerator random) {
    return new SeccompData(
        RandomPrograms.constant(random),
        RandomPrograms.constant(random),
        word(random),
        word(random),
        word(random),
        word(random),
        word(random),
        word(random),
        word(random));
  }

  private static long word(RandomGenerator random) {
    return ((long) RandomPrograms.constant(random) << Integer.SIZE)
        | Integer.toUnsignedLong(RandomPrograms.constant(random));
  }

  @Test
  void shouldKnowWhatReachesEachInstruction() {
    int[] decided = {0};
    int cases = Effort.cases(50, 1_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          RandomPolicies policies = new RandomPolicies(random);
          BpfProgram program = SeccompCompiler.compile(policies.policy());
          InputSets sets = InputSets.of(List.of(program), List.of(), 10 * MAX_NODES);
          BpfMeaning meaning;
          try {
            meaning = BpfMeaning.of(sets, program);
          } catch (UndecidedException _) {
            return;
          }
          decided[0]++;
          for (int i = 0; i < 20; i++) {
            SeccompData data = policies.data();
            long reached = 0;
            long ended = 0;
            for (int pc = 0; pc < program.length(); pc++) {
              reached += meaning.reaching(pc).contains(data) ? 1 : 0;
              ended += meaning.ending(pc).contains(data) ? 1 : 0;
            }
            assertThat(reached).isEqualTo(BpfSimulator.run(program, data).steps());
            assertThat(ended).isOne();
          }
        });

    assertThat(decided[0]).isGreaterThan(cases * 9 / 10);
  }

  @Test
  void shouldFindCodeThatNoInputReaches() {
    BpfAssembler assembler = new BpfAssembler();
    Label other = assembler.label("other");
    Label never = assembler.label("never");
    BpfMeaning meaning =
        meaning(
            assembler
                .ldAbs(0)
                .jump(Bpf.JGT, 100, other, BpfAssembler.NEXT)
                .jump(Bpf.JEQ, 200, never, BpfAssembler.NEXT)
                .ret(SeccompAction.ALLOW)
                .bind(other)
                .ret(SeccompAction.TRAP)
                .bind(never)
                .ret(SeccompAction.LOG));

    assertThat(meaning.deadInstructions()).containsExactly(5);
    assertThat(meaning.constantTests()).containsExactly(2);
    assertThat(meaning.answered(SeccompAction.LOG).isEmpty()).isTrue();
    assertThat(meaning.answered(SeccompAction.Kind.TRAP).example())
        .hasValue(SeccompData.of(Architecture.X86_64, 101, 0));
  }

  @Test
  void shouldFindNothingWrongWithTestsThatMatter() {
    BpfAssembler assembler = new BpfAssembler();
    Label other = assembler.label("other");
    BpfMeaning meaning =
        meaning(
            assembler
                .ldAbs(0)
                .jump(Bpf.JGT, 100, other, BpfAssembler.NEXT)
                .ret(SeccompAction.ALLOW)
                .bind(other)
                .ret(SeccompAction.TRAP));

    assertThat(meaning.deadInstructions()).isEmpty();
    assertThat(meaning.constantTests()).isEmpty();
  }

  @Test
  void shouldSayWhichInstructionCannotBeFollowed() {
    BpfProgram program =
        new BpfAssembler().ldAbs(16).tax().ldAbs(24).aluX(Bpf.MUL).retA().assemble();
    InputSets sets = InputSets.of(List.of(program), List.of(), MAX_NODES);

    assertThatExceptionOfType(UndecidedException.class)
        .isThrownBy(() -> BpfMeaning.of(sets, program))
        .withMessageContaining("instruction 3")
        .withMessageContaining("more than");
  }

  /** The same product, which nobody looks at. */
  @Test
  void shouldNotComputeWhatNobodyReads() {
    BpfMeaning meaning =
        meaning(
            new BpfAssembler()
                .ldAbs(16)
                .tax()
                .ldAbs(24)
                .aluX(Bpf.MUL)
                .st(0)
                .ret(SeccompAction.ALLOW));

    assertThat(meaning.answered(SeccompAction.ALLOW))
        .satisfies(all -> assertThat(all.complement().isEmpty()).isTrue());
  }

  @Test
  void shouldKnowWhenADivisionEndsTheProgram() {
    BpfMeaning meaning =
        meaning(new BpfAssembler().ldAbs(16).tax().ldImm(1).aluX(Bpf.DIV).ret(SeccompAction.ALLOW));
    SeccompData zero = SeccompData.of(Architecture.X86_64, 1, 0, 0);

    assertThat(meaning.answered(SeccompAction.KILL_THREAD).contains(zero)).isTrue();
    assertThat(meaning.ending(3)).isEqualTo(meaning.answered(SeccompAction.KILL_THREAD));
    assertThat(meaning.ending(3).dependsOn(20, -1)).isFalse();
  }

  /** X is 1 or 0, by the number; nobody reads the quotient. */
  @Test
  void shouldKnowThatADivisionReadsItsDivisor() {
    BpfAssembler assembler = new BpfAssembler();
    Label zero = assembler.label("zero");
    Label divide = assembler.label("divide");
    BpfMeaning meaning =
        meaning(
            assembler
                .ldAbs(SeccompData.NR_OFFSET)
                .jump(Bpf.JEQ, 7, zero, BpfAssembler.NEXT)
                .ldxImm(1)
                .ja(divide)
                .bind(zero)
                .ldxImm(0)
                .bind(divide)
                .aluX(Bpf.DIV)
                .ret(SeccompAction.ALLOW));

    assertThat(meaning.answered(SeccompAction.KILL_THREAD).example())
        .hasValue(SeccompData.of(Architecture.X86_64, 7, 0));
    assertThat(
            meaning
                .answered(SeccompAction.ALLOW)
                .contains(SeccompData.of(Architecture.X86_64, 8, 0)))
        .isTrue();
  }
}
