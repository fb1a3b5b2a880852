package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompRule;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A policy's rules as the compiler wants them: by number, and with what all rules have in common
 * taken out.
 *
 * <p>Improvements are functions from plan to plan that keep the meaning: where a shared condition
 * does not hold, or no alternative applies, the default action is the answer; else the first
 * alternative that applies answers.
 *
 * @param shared conditions without which no rule matches
 * @param alternatives what to try for each number, in order; never an empty list
 */
record CompilerPlan(List<Condition> shared, SortedMap<Integer, List<Alternative>> alternatives) {

  /**
   * A rule without its number.
   *
   * @param conditions what must hold
   * @param action the answer
   */
  record Alternative(List<Condition> conditions, SeccompAction action) {

    boolean isUnconditional() {
      return conditions.isEmpty();
    }

    Alternative without(Set<Condition> known) {
      return new Alternative(
          conditions.stream().filter(condition -> !known.contains(condition)).toList(), action);
    }
  }

  static CompilerPlan of(List<SeccompRule> rules) {
    SortedMap<Integer, List<Alternative>> alternatives = new TreeMap<>();
    for (SeccompRule rule : rules) {
      alternatives
          .computeIfAbsent(rule.nr(), _ -> new ArrayList<>())
          .add(new Alternative(rule.conditions(), rule.action()));
    }
    return new CompilerPlan(List.of(), alternatives)
        .withoutUnreachable()
        .withSharedConditions()
        .withoutUnreachable();
  }

  /** Drops what comes after an unconditional alternative. */
  private CompilerPlan withoutUnreachable() {
    SortedMap<Integer, List<Alternative>> reachable = new TreeMap<>();
    alternatives.forEach((nr, list) -> reachable.put(nr, withoutUnreachable(list)));
    return new CompilerPlan(shared, reachable);
  }

  private static List<Alternative> withoutUnreachable(List<Alternative> list) {
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i).isUnconditional()) {
        return List.copyOf(list.subList(0, i + 1));
      }
    }
    return List.copyOf(list);
  }

  /**
   * Takes out the conditions that every alternative of every number has. With a single number there
   * is nothing to gain: it is better to look at the number first.
   */
  private CompilerPlan withSharedConditions() {
    if (alternatives.size() < 2) {
      return this;
    }
    Set<Condition> common =
        new LinkedHashSet<>(alternatives.sequencedValues().getFirst().getFirst().conditions());
    alternatives
        .values()
        .forEach(list -> list.forEach(alternative -> common.retainAll(alternative.conditions())));
    SortedMap<Integer, List<Alternative>> rest = new TreeMap<>();
    alternatives.forEach(
        (nr, list) ->
            rest.put(nr, list.stream().map(alternative -> alternative.without(common)).toList()));
    return new CompilerPlan(List.copyOf(common), rest);
  }
}
