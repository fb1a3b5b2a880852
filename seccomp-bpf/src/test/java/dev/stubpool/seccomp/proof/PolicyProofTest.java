package dev.stubpool.seccomp.proof;

import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfAssembler;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.seccomp.compiler.CompilerOptions;
import dev.stubpool.seccomp.compiler.Optimization;
import dev.stubpool.seccomp.compiler.RandomPolicies;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PolicyProofTest {

  /**
   * Random policies may mix every argument with every other one; the few that need more than this
   * would take most of the time.
   */
  private static final int MAX_NODES = Effort.cases(150_000, 500_000);

  private static SeccompPolicy.Builder policy() {
    return SeccompPolicy.builder(Architecture.X86_64).badArchitectureAction(SeccompAction.TRAP);
  }

  /** A proof of each compiled program, where {@code SeccompCompilerTest} takes samples. */
  @Test
  void shouldProveWhatTheCompilerMakes() {
    int[] proven = {0};
    int cases = Effort.cases(200, 1_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          SeccompPolicy policy = new RandomPolicies(Effort.random(seed)).policy();
          BpfProgram program = SeccompCompiler.compile(policy);
          PolicyProof.Result result = PolicyProof.check(policy, program, MAX_NODES);
          assertThat(result).as("%s", policy).isNotInstanceOf(PolicyProof.Refuted.class);
          proven[0] += result instanceof PolicyProof.Proven ? 1 : 0;
        });

    assertThat(proven[0]).isGreaterThan(cases * 9 / 10);
  }

  /** The programs of each rule in order are the longest, and a few of them need more nodes. */
  @ParameterizedTest
  @EnumSource(names = {"NONE", "SIZE"})
  void shouldProveWhatOtherModesMake(Optimization mode) {
    int[] proven = {0};
    int cases = Effort.cases(60, 1_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          SeccompPolicy policy = new RandomPolicies(Effort.random(seed)).policy();
          BpfProgram program = SeccompCompiler.compile(policy, CompilerOptions.of(mode)).program();
          PolicyProof.Result result = PolicyProof.check(policy, program, MAX_NODES);
          assertThat(result).as("%s", policy).isNotInstanceOf(PolicyProof.Refuted.class);
          proven[0] += result instanceof PolicyProof.Proven ? 1 : 0;
        });

    assertThat(proven[0]).isGreaterThan(cases * 8 / 10);
  }

  /** A policy without one of its rules is told apart, or samples cannot tell it apart either. */
  @Test
  void shouldRefuteOtherPolicies() {
    int[] refuted = {0};
    int cases = Effort.cases(80, 500);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          RandomPolicies policies = new RandomPolicies(random);
          SeccompPolicy policy = policies.policy();
          SeccompPolicy other = withoutSomeRule(policy, random);
          BpfProgram program = SeccompCompiler.compile(other);
          PolicyProof.Result result = PolicyProof.check(policy, program, MAX_NODES);
          switch (result) {
            case PolicyProof.Refuted(
                    SeccompData input,
                    SeccompAction expected,
                    BpfSimulator.Result actual) -> {
              refuted[0]++;
              assertThat(policy.evaluate(input)).isEqualTo(expected);
              assertThat(other.evaluate(input)).isEqualTo(actual.action());
              assertThat(expected).isNotEqualTo(actual.action());
            }
            case PolicyProof.Proven() -> {
              for (int i = 0; i < 1_000; i++) {
                SeccompData data = policies.data();
                assertThat(policy.evaluate(data)).isEqualTo(other.evaluate(data));
              }
            }
            case PolicyProof.Undecided _ -> {}
          }
        });

    assertThat(refuted[0]).isBetween(cases / 4, cases * 3 / 4);
  }

  private static SeccompPolicy withoutSomeRule(SeccompPolicy policy, RandomGenerator random) {
    Map<Architecture, List<SeccompRule>> rules = new EnumMap<>(Architecture.class);
    policy.rules().forEach((architecture, list) -> rules.put(architecture, new ArrayList<>(list)));
    List<SeccompRule> some = rules.values().iterator().next();
    if (!some.isEmpty()) {
      some.remove(random.nextInt(some.size()));
    }
    return new SeccompPolicy(policy.defaultAction(), policy.badArchitectureAction(), rules);
  }

  @Test
  void shouldFindAReadableInput() {
    SeccompPolicy policy = policy().allow("openat", argument(2).equalTo(0)).build();
    SeccompPolicy other = policy().allow("openat", argument(2).low32().equalTo(0)).build();

    assertThat(PolicyProof.check(policy, SeccompCompiler.compile(other)))
        .isEqualTo(
            new PolicyProof.Refuted(
                SeccompData.of(Architecture.X86_64, 257, 0, 0, 0, 1L << 32),
                SeccompAction.KILL_PROCESS,
                BpfSimulator.run(
                    SeccompCompiler.compile(other),
                    SeccompData.of(Architecture.X86_64, 257, 0, 0, 0, 1L << 32))));
  }

  /** It differs in 2 of 2^512 inputs for each of the arguments that do not matter. */
  @Test
  void shouldFindARareDifference() {
    SeccompPolicy policy = policy().allow(1, argument(0).lessThan(0x1234_5678_9abc_def0L)).build();
    SeccompPolicy other = policy().allow(1, argument(0).lessThan(0x1234_5678_9abc_def1L)).build();

    assertThat(PolicyProof.check(policy, SeccompCompiler.compile(other)))
        .isInstanceOfSatisfying(
            PolicyProof.Refuted.class,
            refuted ->
                assertThat(refuted.input())
                    .isEqualTo(SeccompData.of(Architecture.X86_64, 1, 0, 0x1234_5678_9abc_def0L)));
  }

  @Test
  void shouldSayWhatCannotBeDecided() {
    BpfProgram program =
        new BpfAssembler().ldAbs(16).tax().ldAbs(24).aluX(Bpf.MUL).retA().assemble();

    assertThat(PolicyProof.check(policy().build(), program, 10_000))
        .isInstanceOfSatisfying(
            PolicyProof.Undecided.class,
            undecided -> assertThat(undecided.reason()).contains("instruction 3"));
  }
}
