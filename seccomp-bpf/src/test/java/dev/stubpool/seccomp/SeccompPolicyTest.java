package dev.stubpool.seccomp;

import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class SeccompPolicyTest {

  private static final SeccompAction DENIED = SeccompAction.errno(1);
  private static final SeccompAction BAD = SeccompAction.KILL_PROCESS;

  private static SeccompPolicy.Builder policy() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(DENIED)
        .badArchitectureAction(BAD);
  }

  private static SeccompAction evaluate(SeccompPolicy policy, int nr, long... arguments) {
    return policy.evaluate(SeccompData.of(Architecture.X86_64, nr, 0, arguments));
  }

  @Test
  void shouldLetTheFirstMatchingRuleAnswer() {
    SeccompPolicy policy =
        policy()
            .rule(1, SeccompAction.trap(1), argument(0).lessThan(5))
            .rule(1, SeccompAction.trap(2), argument(0).lessThan(10), argument(1).equalTo(0))
            .rule(2, SeccompAction.trap(3))
            .allow(2)
            .build();

    assertThat(evaluate(policy, 1, 4)).isEqualTo(SeccompAction.trap(1));
    assertThat(evaluate(policy, 1, 9)).isEqualTo(SeccompAction.trap(2));
    assertThat(evaluate(policy, 1, 9, 1)).isEqualTo(DENIED);
    assertThat(evaluate(policy, 1, 10)).isEqualTo(DENIED);
    assertThat(evaluate(policy, 2)).isEqualTo(SeccompAction.trap(3));
    assertThat(evaluate(policy, 3)).isEqualTo(DENIED);
  }

  @Test
  void shouldNotMatchOtherConventions() {
    SeccompPolicy policy = policy().allow(1).build();

    assertThat(evaluate(policy, 1)).isEqualTo(SeccompAction.ALLOW);
    assertThat(evaluate(policy, 0x40000001)).isEqualTo(BAD);
    assertThat(evaluate(policy, 0x80000001)).isEqualTo(DENIED);
    assertThat(policy.evaluate(SeccompData.of(Architecture.I386, 1, 0))).isEqualTo(BAD);
    assertThat(policy.evaluate(new SeccompData(1, 0xc00000b7, 0, 0, 0, 0, 0, 0, 0))).isEqualTo(BAD);
  }

  @Test
  void shouldKillUnlessTold() {
    SeccompPolicy policy = SeccompPolicy.builder(Architecture.I386).build();

    assertThat(policy.defaultAction()).isEqualTo(SeccompAction.KILL_PROCESS);
    assertThat(policy.badArchitectureAction()).isEqualTo(SeccompAction.KILL_PROCESS);
  }

  @Test
  void shouldRefuseNumbersThatAreNone() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> policy().allow(0x40000001).build())
        .withMessage("no x86_64 system call number: 0x40000001");
    assertThat(SeccompPolicy.builder(Architecture.I386).allow(0x40000001).build().rules())
        .hasSize(1);
  }

  @Test
  void shouldBeAValue() {
    SeccompPolicy.Builder builder = policy().allow(1, argument(0).equalTo(7));
    SeccompPolicy first = builder.build();

    assertThat(builder.build()).isEqualTo(first);
    assertThat(builder.allow(2).build()).isNotEqualTo(first);
    assertThat(first.rules().get(Architecture.X86_64)).hasSize(1);
  }
}
