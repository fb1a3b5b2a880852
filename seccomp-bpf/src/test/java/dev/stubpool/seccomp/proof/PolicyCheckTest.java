package dev.stubpool.seccomp.proof;

import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.compiler.RandomPolicies;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.seccomp.proof.PolicyCheck.Finding;
import dev.stubpool.seccomp.proof.PolicyCheck.Kind;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PolicyCheckTest {

  private static SeccompPolicy.Builder policy() {
    return SeccompPolicy.builder(Architecture.X86_64);
  }

  @Test
  void shouldFindNothingInWhatIsRight() {
    SeccompPolicy policy =
        policy()
            .allow("read")
            .rule("socket", SeccompAction.errno(13), argument(0).equalTo(40))
            .allow("socket", argument(0).inRange(1, 40))
            .build();

    assertThat(PolicyCheck.findings(policy)).isEmpty();
  }

  @Test
  void shouldFindContradictions() {
    SeccompPolicy policy =
        policy()
            .allow("read")
            .allow("socket", argument(0).lessThan(3), argument(0).maskedEqualTo(12, 8))
            .build();

    assertThat(PolicyCheck.findings(policy))
        .containsExactly(
            new Finding(
                Architecture.X86_64,
                1,
                Kind.NEVER_MATCHES,
                List.of(),
                "x86_64: rule 1 (socket) can never match: its conditions contradict each other"));
  }

  /** None of the rules before covers it alone. */
  @Test
  void shouldFindWhatEarlierRulesCoverTogether() {
    SeccompPolicy policy =
        policy()
            .allow("socket", argument(0).lessThan(10))
            .allow("read")
            .allow("socket", argument(1).equalTo(1))
            .rule("socket", SeccompAction.LOG, argument(0).greaterOrEqual(10))
            .rule("socket", SeccompAction.TRAP, argument(0).notEqualTo(7), argument(1).equalTo(5))
            .build();

    assertThat(PolicyCheck.findings(policy))
        .containsExactly(
            new Finding(
                Architecture.X86_64,
                4,
                Kind.UNREACHABLE,
                List.of(0, 3),
                "x86_64: rule 4 (socket) is never reached: rules 0, 3 match before it whatever it"
                    + " would"));
  }

  @Test
  void shouldSayWhichRuleCovers() {
    SeccompPolicy policy = policy().allow(1000).rule(1000, SeccompAction.LOG).build();

    assertThat(PolicyCheck.findings(policy).getFirst().message())
        .isEqualTo(
            "x86_64: rule 1 (number 1000) is never reached: rule 0 matches before it whatever it"
                + " would");
  }

  @Test
  void shouldFindRulesWithoutEffect() {
    SeccompPolicy policy =
        policy()
            .rule("read", SeccompAction.KILL_PROCESS)
            .allow("socket", argument(0).equalTo(1))
            .allow("socket")
            .build();

    assertThat(PolicyCheck.findings(policy))
        .extracting(Finding::rule, Finding::kind)
        .containsExactly(tuple(0, Kind.NO_EFFECT), tuple(1, Kind.NO_EFFECT));
  }

  /** Of two equal rules one is needed. */
  @Test
  void shouldNotCallBothOfTwoRulesNeedless() {
    Condition one = argument(0).equalTo(1);
    SeccompPolicy policy = policy().allow("socket", one).allow("socket", one).build();

    assertThat(PolicyCheck.findings(policy))
        .extracting(Finding::rule, Finding::kind)
        .containsExactly(tuple(1, Kind.UNREACHABLE));
  }

  @Test
  void shouldTellArchitecturesApart() {
    SeccompPolicy policy =
        policy()
            .allow("read")
            .architecture(Architecture.I386)
            .allow("read")
            .rule("read", SeccompAction.LOG)
            .build();

    assertThat(PolicyCheck.findings(policy))
        .extracting(Finding::architecture, Finding::rule, Finding::kind)
        .containsExactly(tuple(Architecture.I386, 1, Kind.UNREACHABLE));
  }

  /** What is found can go, all of it; what is not found cannot. */
  @Test
  void shouldFindExactlyWhatDoesNothing() {
    Set<Kind> seen = EnumSet.noneOf(Kind.class);
    int[] needed = {0};
    Effort.forEachSeed(
        Effort.cases(20, 200),
        seed -> {
          SeccompPolicy policy = new RandomPolicies(Effort.random(seed)).policy();
          List<Finding> findings = PolicyCheck.findings(policy);
          SeccompPolicy rest = without(policy, findings);
          assertThat(check(policy, rest))
              .as("%s", policy)
              .isNotInstanceOf(PolicyProof.Refuted.class);
          findings.forEach(finding -> seen.add(finding.kind()));
          rest.rules()
              .forEach(
                  (architecture, rules) -> {
                    if (!rules.isEmpty()) {
                      int some = (int) (seed % rules.size());
                      Finding finding =
                          new Finding(architecture, some, Kind.NO_EFFECT, List.of(), "");
                      SeccompPolicy less = without(rest, List.of(finding));
                      PolicyProof.Result result = check(policy, less);
                      assertThat(result)
                          .as("without %s, of %s", rules.get(some), policy)
                          .isNotInstanceOf(PolicyProof.Proven.class);
                      needed[0] += result instanceof PolicyProof.Refuted ? 1 : 0;
                    }
                  });
        });

    assertThat(seen).containsExactlyInAnyOrder(Kind.values());
    assertThat(needed[0]).isGreaterThan(10);
  }

  /** Whether a policy means what another one does; undecided if that would take long. */
  private static PolicyProof.Result check(SeccompPolicy policy, SeccompPolicy other) {
    return PolicyProof.check(policy, SeccompCompiler.compile(other), 100_000);
  }

  private static SeccompPolicy without(SeccompPolicy policy, List<Finding> findings) {
    Map<Architecture, List<SeccompRule>> rules = new EnumMap<>(Architecture.class);
    policy
        .rules()
        .forEach(
            (architecture, all) -> {
              List<SeccompRule> rest = new ArrayList<>();
              for (int i = 0; i < all.size(); i++) {
                int index = i;
                if (findings.stream()
                    .noneMatch(
                        finding ->
                            finding.architecture() == architecture && finding.rule() == index)) {
                  rest.add(all.get(i));
                }
              }
              rules.put(architecture, rest);
            });
    return new SeccompPolicy(policy.defaultAction(), policy.badArchitectureAction(), rules);
  }
}
