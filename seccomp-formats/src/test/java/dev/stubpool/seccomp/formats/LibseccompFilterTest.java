package dev.stubpool.seccomp.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.formats.CallRules.Outcome;
import dev.stubpool.seccomp.formats.Comparison.Operator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What LibseccompIT cannot show with random rules. */
final class LibseccompFilterTest {
  private final LibseccompFilter filter =
      new LibseccompFilter(Architecture.X86_64, SeccompAction.KILL_PROCESS);

  private Outcome add(SeccompAction action, Comparison... comparisons) throws RefusedException {
    return filter.add("socket", action, List.of(comparisons), false).get(Architecture.X86_64);
  }

  private static Comparison is(int argument, Operator operator, long value) {
    return Comparison.of(argument, operator, value);
  }

  private SeccompAction ask(long... arguments) {
    int nr = SystemCallTable.of(Architecture.X86_64).number("socket");
    return filter.policy().evaluate(SeccompData.of(Architecture.X86_64, nr, 0, arguments));
  }

  @Test
  void theSmallestUpperLimitThatHoldsAnswers() throws RefusedException {
    add(SeccompAction.ALLOW, is(0, Operator.LT, 9));
    add(SeccompAction.LOG, is(0, Operator.LT, 5));
    add(SeccompAction.TRAP, is(0, Operator.LE, 7));
    assertThat(ask(4)).isEqualTo(SeccompAction.LOG);
    assertThat(ask(7)).isEqualTo(SeccompAction.TRAP);
    assertThat(ask(8)).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void theGreatestLowerLimitThatHoldsAnswers() throws RefusedException {
    add(SeccompAction.ALLOW, is(0, Operator.GT, 3));
    add(SeccompAction.LOG, is(0, Operator.GE, 9));
    assertThat(ask(4)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(9)).isEqualTo(SeccompAction.LOG);
  }

  @Test
  void aLongerRuleIsCoveredByAShorterOne() throws RefusedException {
    assertThat(add(SeccompAction.ALLOW, is(0, Operator.EQ, 1))).isEqualTo(Outcome.ADDED);
    assertThat(add(SeccompAction.ALLOW, is(0, Operator.EQ, 1), is(1, Operator.EQ, 2)))
        .isEqualTo(Outcome.REDUNDANT);
    assertThat(add(SeccompAction.LOG, is(0, Operator.EQ, 1), is(1, Operator.EQ, 2)))
        .isEqualTo(Outcome.NEVER_APPLIES);
    assertThat(ask(1, 2)).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void whatOneArchitectureRefusesNoneHas() throws RefusedException {
    filter.addArchitecture(Architecture.I386);
    add(SeccompAction.ALLOW, is(1, Operator.EQ, 1));
    // x86's socketcall has no room for the first argument: there it is shorter than the rule above
    assertThatThrownBy(() -> add(SeccompAction.LOG, is(0, Operator.EQ, 9)))
        .isInstanceOf(RefusedException.class);
    assertThat(ask(9, 0)).isEqualTo(SeccompAction.KILL_PROCESS);
    assertThat(ask(9, 1)).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void mergedFiltersHaveTheArchitecturesOfBoth() throws RefusedException {
    add(SeccompAction.ALLOW);
    LibseccompFilter other = new LibseccompFilter(Architecture.ARM, SeccompAction.LOG);
    other.add("read", SeccompAction.ALLOW, List.of(), false);
    filter.merge(other);
    assertThat(filter.architectures())
        .containsExactlyInAnyOrder(Architecture.X86_64, Architecture.ARM);
    assertThatThrownBy(() -> filter.merge(other)).isInstanceOf(RefusedException.class);
  }

  @Test
  void afterAResetThereAreNoRules() throws RefusedException {
    add(SeccompAction.ALLOW);
    filter.removeArchitecture(Architecture.X86_64);
    filter.reset(SeccompAction.LOG);
    assertThat(ask()).isEqualTo(SeccompAction.LOG);
  }
}
