package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.Effort;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.EnumSet;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

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
        Effort.cases(3_000, 200_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          RandomPolicies policies = new RandomPolicies(random);
          SeccompPolicy policy = policies.policy();
          BpfSimulator filter = new BpfSimulator(SeccompCompiler.compile(policy));
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
    int cases = Effort.cases(10_000, 500_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          RandomPolicies policies = new RandomPolicies(random);
          Condition condition = policies.condition();
          SeccompPolicy policy = policy().allow(1, condition).build();
          BpfSimulator filter = new BpfSimulator(SeccompCompiler.compile(policy));
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
  void shouldCompileTheEmptyPolicy() {
    assertThat(SeccompCompiler.compile(policy().build()))
        .hasToString(
            """
               0: ld [4]                         ; arch
               1: jeq #0xc000003e, 2, 5          ; X86_64
               2: ld [0]                         ; nr
               3: jset #0x40000000, 5, 4
               4: ja 5
               5: ret #0x30000                   ; TRAP(0)
            """);
  }

  @Test
  void shouldCompileAllowedNumbers() {
    assertThat(SeccompCompiler.compile(policy().allow(39).allow(60).build()))
        .hasToString(
            """
               0: ld [4]                         ; arch
               1: jeq #0xc000003e, 2, 6          ; X86_64
               2: ld [0]                         ; nr
               3: jset #0x40000000, 6, 4
               4: jeq #0x27, 7, 5
               5: jeq #0x3c, 7, 6
               6: ret #0x30000                   ; TRAP(0)
               7: ret #0x7fff0000                ; ALLOW
            """);
  }

  @Test
  void shouldLookAtSharedConditionsOnce() {
    Condition image = Condition.instructionPointerIn(0x5000_0080_0000L, 0x5000_00c0_0000L);
    SeccompPolicy policy =
        policy()
            .allow(39, image)
            .allow(60, image)
            .allow(157, argument(0).equalTo(1), image, argument(1).equalTo(9))
            .build();

    assertThat(SeccompCompiler.compile(policy))
        .hasToString(
            """
               0: ld [4]                         ; arch
               1: jeq #0xc000003e, 2, 21         ; X86_64
               2: ld [0]                         ; nr
               3: jset #0x40000000, 21, 4
               4: ld [12]                        ; ip high
               5: jeq #0x5000, 6, 21
               6: ld [8]                         ; ip low
               7: jge #0x800000, 8, 21
               8: jgt #0xbfffff, 21, 9
               9: ld [0]                         ; nr
              10: jeq #0x27, 22, 11
              11: jeq #0x3c, 22, 12
              12: jeq #0x9d, 13, 21
              13: ld [20]                        ; args[0] high
              14: jeq #0x0, 15, 21
              15: ld [16]                        ; args[0] low
              16: jeq #0x1, 17, 21
              17: ld [28]                        ; args[1] high
              18: jeq #0x0, 19, 21
              19: ld [24]                        ; args[1] low
              20: jeq #0x9, 22, 21
              21: ret #0x30000                   ; TRAP(0)
              22: ret #0x7fff0000                ; ALLOW
            """);
  }

  @Test
  void shouldShareTheCodeOfEqualRules() {
    Condition outside = Condition.rangeOutside(0, 1, 0x5000_0080_0000L, 0x5000_00c0_0000L);
    int once = SeccompCompiler.compile(policy().allow(10, outside).allow(1).build()).length();
    int twice =
        SeccompCompiler.compile(policy().allow(10, outside).allow(1).allow(11, outside).build())
            .length();

    assertThat(twice).isEqualTo(once + 1);
  }

  @Test
  void shouldDropRulesThatNeverApply() {
    SeccompPolicy policy =
        policy().allow(1).rule(1, SeccompAction.LOG, argument(0).equalTo(1)).build();

    assertThat(SeccompCompiler.compile(policy))
        .isEqualTo(SeccompCompiler.compile(policy().allow(1).build()));
  }

  @Test
  void shouldCompileLongPolicies() {
    SeccompPolicy.Builder builder = policy();
    for (int nr = 0; nr < 450; nr++) {
      builder.rule(nr, SeccompAction.errno(nr), argument(nr % 6).equalTo(nr));
    }
    SeccompPolicy policy = builder.build();
    BpfSimulator filter = new BpfSimulator(SeccompCompiler.compile(policy));

    for (int nr = -1; nr < 451; nr++) {
      assertSame(policy, filter, SeccompData.of(Architecture.X86_64, nr, 0));
      assertSame(
          policy, filter, SeccompData.of(Architecture.X86_64, nr, 0, nr, nr, nr, nr, nr, nr));
    }
  }

  @Test
  void shouldRefusePoliciesThatAreTooLong() {
    SeccompPolicy.Builder builder = policy();
    for (int nr = 0; nr < 1500; nr++) {
      builder.rule(nr, SeccompAction.ALLOW, argument(0).equalTo(nr));
    }

    assertThatIllegalStateException()
        .isThrownBy(() -> SeccompCompiler.compile(builder.build()))
        .withMessageContaining("the kernel takes 1 to 4096");
  }
}
