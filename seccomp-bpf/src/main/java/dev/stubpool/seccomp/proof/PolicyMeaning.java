package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import java.util.LinkedHashMap;
import java.util.Map;

/** The answers of {@link SeccompPolicy#evaluate} to all inputs. */
final class PolicyMeaning {

  private PolicyMeaning() {}

  static Answers of(InputSets sets, SeccompPolicy policy) {
    Bdd bdd = sets.bdd();
    Map<SeccompAction, Integer> inputs = new LinkedHashMap<>();
    int[] bad = {Bdd.TRUE};
    policy
        .rules()
        .forEach(
            (architecture, rules) -> {
              int rest = sets.architectureFunction(architecture);
              bad[0] = bdd.minus(bad[0], rest);
              for (SeccompRule rule : rules) {
                int wanted =
                    bdd.and(sets.numberFunction(rule.nr()), sets.allFunction(rule.conditions()));
                int matched = bdd.and(rest, wanted);
                inputs.merge(rule.action(), matched, bdd::or);
                rest = bdd.minus(rest, matched);
              }
              inputs.merge(policy.defaultAction(), rest, bdd::or);
            });
    inputs.merge(policy.badArchitectureAction(), bad[0], bdd::or);
    return Answers.of(bdd, inputs);
  }
}
