package dev.stubpool.seccomp.compiler;

import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.testing.Effort;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The compiled program answers as {@link SeccompPolicy#evaluate} does. */
class SeccompCompilerTest {

  /** For each case. */
  private static final int CALLS = 100;

  private static SeccompPolicy.Builder policy() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(SeccompAction.TRAP)
        .badArchitectureAction(SeccompAction.TRAP);
  }

  @Test
  void shouldMeanWhatThePolicyMeans() {
    Set<SeccompAction.Kind> seen = EnumSet.noneOf(SeccompAction.Kind.class);
    long[] calls = {0, 0};
    Effort.forEachSeed(
        Effort.cases(400, 5_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          RandomPolicies policies = new RandomPolicies(random);
          SeccompPolicy policy = policies.policy();
          BpfSimulator filter = new BpfSimulator(compile(policy, seed));
          for (int i = 0; i < CALLS; i++) {
            SeccompData data = policies.data();
            SeccompAction answer = assertSame(policy, filter, data);
            seen.add(answer.kind());
            calls[0]++;
            calls[1] += policies.matchesARule(policy, data) ? 1 : 0;
          }
        });

    // Else the policies would prove little.
    assertThat(seen).containsExactlyInAnyOrder(SeccompAction.Kind.values());
    assertThat(calls[1]).isBetween(calls[0] / 5, calls[0] * 4 / 5);
  }

  /** Single conditions, each on many values: what a conjunction would hide. */
  @Test
  void shouldMeanWhatEachConditionMeans() {
    long[] matches = {0};
    int cases = Effort.cases(1_500, 100_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          RandomPolicies policies = new RandomPolicies(random);
          Condition condition = policies.condition();
          SeccompPolicy policy = policy().allow(1, condition).build();
          BpfSimulator filter = new BpfSimulator(compile(policy, seed));
          for (int i = 0; i < CALLS; i++) {
            SeccompData d = policies.data();
            SeccompData data =
                SeccompData.of(
                    Architecture.X86_64,
                    1,
                    d.instructionPointer(),
                    d.a0(),
                    d.a1(),
                    d.a2(),
                    d.a3(),
                    d.a4(),
                    d.a5());
            SeccompAction answer = assertSame(policy, filter, data);
            matches[0] += answer.equals(SeccompAction.ALLOW) ? 1 : 0;
          }
        });

    assertThat(matches[0]).isBetween(20L * cases, 80L * cases);
  }

  private static BpfProgram compile(SeccompPolicy policy, Optimization optimize) {
    return SeccompCompiler.compile(policy, CompilerOptions.of(optimize)).program();
  }

  private static BpfProgram compile(SeccompPolicy policy, long seed) {
    Optimization[] modes = Optimization.values();
    return compile(policy, modes[(int) Math.floorMod(seed, (long) modes.length)]);
  }

  private static SeccompAction assertSame(
      SeccompPolicy policy, BpfSimulator filter, SeccompData data) {
    SeccompAction expected = policy.evaluate(data);
    BpfSimulator.Result result = filter.run(data);
    if (result.ret() != expected.encode()) {
      throw new AssertionError(
          "%s for %s under %s, compiled to%n%s"
              .formatted(result, data, policy, SeccompCompiler.compile(policy)));
    }
    return expected;
  }

  @Test
  void shouldLookAtNothingWhereAllIsTheSame() {
    assertThat(SeccompCompiler.compile(policy().build()))
        .isEqualTo(BpfProgram.of(BpfInstruction.of(Bpf.RET | Bpf.K, SeccompAction.TRAP.encode())));
  }

  @Test
  void shouldCompileAllowedNumbers() {
    int arch = Architecture.X86_64.auditValue();
    assertThat(compile(policy().allow(39).allow(60).build(), Optimization.SIZE))
        .isEqualTo(
            BpfProgram.of(
                BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, SeccompData.ARCH_OFFSET),
                new BpfInstruction(Bpf.JMP | Bpf.JEQ | Bpf.K, 0, 3, arch),
                BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, SeccompData.NR_OFFSET),
                new BpfInstruction(Bpf.JMP | Bpf.JEQ | Bpf.K, 2, 0, 39),
                new BpfInstruction(Bpf.JMP | Bpf.JEQ | Bpf.K, 1, 0, 60),
                BpfInstruction.of(Bpf.RET | Bpf.K, SeccompAction.TRAP.encode()),
                BpfInstruction.of(Bpf.RET | Bpf.K, SeccompAction.ALLOW.encode())));
  }

  @ParameterizedTest
  @EnumSource(names = {"SIZE", "SPEED"})
  void shouldGuardAgainstX32OnlyWhereThatMatters(Optimization optimize) {
    SeccompPolicy same = policy().allow(39).build();
    SeccompPolicy different =
        policy().allow(39).badArchitectureAction(SeccompAction.KILL_PROCESS).build();

    assertThat(compile(same, optimize).length()).isEqualTo(6);
    // One test for bit 30, one for -1, which has it and is x86-64's, one return.
    assertThat(compile(different, optimize).length()).isEqualTo(9);
  }

  @Test
  void shouldFindRangesAndCubes() {
    assertThat(lengthWith(argument(0).low32().anyOf(0, 1))).isEqualTo(lengthOfOneTest());
    assertThat(lengthWith(argument(0).low32().anyOf(7, 8, 9, 10))).isEqualTo(lengthOfOneTest() + 1);
    assertThat(lengthWith(argument(0).low32().anyOf(0, 4))).isEqualTo(lengthOfOneTest());
    assertThat(lengthWith(argument(0).low32().anyOf(0, 2, 8, 10))).isEqualTo(lengthOfOneTest());
  }

  private static int lengthOfOneTest() {
    return lengthWith(argument(0).low32().equalTo(0));
  }

  private static int lengthWith(Condition condition) {
    return compile(policy().allow(39, condition).build(), Optimization.SIZE).length();
  }

  @ParameterizedTest
  @EnumSource(names = {"SIZE", "SPEED"})
  void shouldDropWhatChangesNothing(Optimization optimize) {
    SeccompPolicy.Builder policy = policy().rule(40, SeccompAction.TRAP).allow(1);
    policy.rule(1, SeccompAction.LOG, argument(0).equalTo(1));
    policy
        .allow(2, argument(0).equalTo(1))
        .allow(2, argument(0).equalTo(1), argument(1).equalTo(2));
    policy.allow(2, argument(0).lessThan(1), argument(0).greaterThan(1));

    assertThat(compile(policy.build(), optimize))
        .isEqualTo(compile(policy().allow(1).allow(2, argument(0).equalTo(1)).build(), optimize));
  }

  @ParameterizedTest
  @EnumSource(names = {"SIZE", "SPEED"})
  void shouldShareTheCodeOfEqualRules(Optimization optimize) {
    Condition outside = Condition.rangeOutside(0, 1, 0x5000_0080_0000L, 0x5000_00c0_0000L);
    int once = compile(policy().allow(10, outside).allow(1).build(), optimize).length();
    int twice =
        compile(policy().allow(10, outside).allow(1).allow(40, outside).build(), optimize).length();

    assertThat(twice).isBetween(once, once + 2);
  }

  @ParameterizedTest
  @EnumSource(names = {"SIZE", "SPEED"})
  void shouldKeepAllowedNumbersInTheBitmap(Optimization optimize) {
    Condition image = Condition.instructionPointerIn(0x5000_0080_0000L, 0x5000_00c0_0000L);
    SeccompPolicy.Builder policy = policy().allow(1).allow(300);
    for (int nr = 10; nr < 60; nr++) {
      policy.allow(nr, image);
    }

    CompiledFilter filter = SeccompCompiler.compile(policy.build(), CompilerOptions.of(optimize));

    assertThat(filter.report().cachedNumbers())
        .isEqualTo(Map.of(Architecture.X86_64, List.of(1, 300)));
  }

  @Test
  void shouldLookAtSharedConditionsOnce() {
    Condition image = Condition.instructionPointerIn(0x5000_0080_0000L, 0x5000_00c0_0000L);
    SeccompPolicy.Builder policy = policy();
    for (int nr = 0; nr < 60; nr += 2) {
      policy.allow(nr, image, argument(0).equalTo(nr));
    }

    long loads =
        SeccompCompiler.compile(policy.build()).instructions().stream()
            .filter(BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, 12)::equals)
            .count();

    assertThat(loads).isOne();
  }

  @Test
  void shouldAnswerHotCallsSooner() {
    SeccompPolicy.Builder builder = policy();
    for (int nr = 0; nr < 60; nr += 2) {
      builder.allow(nr);
    }
    SeccompPolicy policy = builder.build();
    CompilerOptions hot =
        CompilerOptions.DEFAULT.withWeights(
            Architecture.X86_64, Map.of(22, 100_000.0, 23, 50_000.0));

    assertThat(steps(SeccompCompiler.compile(policy, hot).program(), 22)).isLessThanOrEqualTo(5);
    assertThat(steps(SeccompCompiler.compile(policy, hot).program(), 23)).isLessThanOrEqualTo(7);
    assertThat(steps(SeccompCompiler.compile(policy), 22)).isGreaterThan(6);
  }

  private static int steps(BpfProgram program, int nr) {
    return BpfSimulator.run(program, SeccompData.of(Architecture.X86_64, nr, 0)).steps();
  }

  @ParameterizedTest
  @EnumSource
  void shouldCompileLongPolicies(Optimization optimize) {
    SeccompPolicy.Builder builder = policy();
    for (int nr = 0; nr < 450; nr++) {
      builder.rule(nr, SeccompAction.errno(nr), argument(nr % 6).equalTo(nr));
    }
    SeccompPolicy policy = builder.build();
    BpfSimulator filter = new BpfSimulator(compile(policy, optimize));

    for (int nr = -1; nr < 451; nr++) {
      assertSame(policy, filter, SeccompData.of(Architecture.X86_64, nr, 0));
      assertSame(
          policy, filter, SeccompData.of(Architecture.X86_64, nr, 0, nr, nr, nr, nr, nr, nr));
    }
  }

  @Test
  void shouldCompileUpToTheGreatestLength() {
    SeccompPolicy policy = manyValues(4073);

    CompiledFilter filter = SeccompCompiler.compile(policy, CompilerOptions.of(Optimization.SPEED));

    assertThat(filter.program().length()).isEqualTo(Bpf.MAXINSNS);
    assertThat(filter.report().cost().instructions()).isEqualTo(Bpf.MAXINSNS);
    BpfSimulator simulator = new BpfSimulator(filter.program());
    for (int i = 0; i < 3 * 4074; i += 7) {
      assertSame(policy, simulator, SeccompData.of(Architecture.X86_64, 1, 0, i));
    }
  }

  @Test
  void shouldRefusePoliciesThatAreTooLong() {
    assertThatExceptionOfType(FilterTooLongException.class)
        .isThrownBy(() -> SeccompCompiler.compile(manyValues(4074)))
        .withMessageContaining("compiles to 4097 instructions, and the kernel accepts 4096")
        .satisfies(e -> assertThat(e.instructions()).isEqualTo(4097));
  }

  private static SeccompPolicy manyValues(int count) {
    long[] values = LongStream.range(0, count).map(i -> 3 * i + 1).toArray();
    return policy().allow(1, argument(0).low32().anyOf(values)).build();
  }
}
