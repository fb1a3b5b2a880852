package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.SystemCallTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Finds rules without effect, exactly, over all arguments that a call may have.
 *
 * <p>Removing all the rules found does not change the meaning of the policy.
 */
public final class PolicyCheck {

  /** Why a rule has no effect. */
  public enum Kind {
    /** Its conditions contradict each other. */
    NEVER_MATCHES,
    /** Earlier rules match everything that it matches. */
    UNREACHABLE,
    /** Everything that it matches would get the same answer without it; harmless. */
    NO_EFFECT
  }

  /**
   * A rule without effect.
   *
   * @param architecture the architecture of the rule
   * @param rule its index among the rules of that architecture, from 0
   * @param kind why it has no effect
   * @param covering the indices of the earlier rules that match everything that this one matches;
   *     empty unless the kind is {@link Kind#UNREACHABLE}
   * @param message a description
   */
  public record Finding(
      Architecture architecture, int rule, Kind kind, List<Integer> covering, String message) {

    /** Copies the list. */
    public Finding {
      covering = List.copyOf(covering);
    }

    /**
     * Describes the finding in one line.
     *
     * @return the message
     */
    @Override
    public String toString() {
      return message;
    }
  }

  private final InputSets sets;
  private final Bdd bdd;
  private final SeccompPolicy policy;
  private final Architecture architecture;
  private final List<SeccompRule> rules;

  /** By rule. */
  private final List<Finding> findings;

  private PolicyCheck(InputSets sets, SeccompPolicy policy, Architecture architecture) {
    this.sets = sets;
    this.bdd = sets.bdd();
    this.policy = policy;
    this.architecture = architecture;
    this.rules = policy.rules().get(architecture);
    this.findings = new ArrayList<>();
  }

  /**
   * Checks a policy.
   *
   * @param policy the policy
   * @return the findings, by architecture and rule
   * @throws UndecidedException if an exact answer would exceed the limit
   */
  public static List<Finding> findings(SeccompPolicy policy) {
    InputSets sets = InputSets.of(List.of(), List.of(policy), InputSets.DEFAULT_MAX_NODES);
    List<Finding> all = new ArrayList<>();
    try {
      for (Architecture architecture : policy.rules().keySet()) {
        PolicyCheck check = new PolicyCheck(sets, policy, architecture);
        check.run();
        check.findings.sort((one, other) -> Integer.compare(one.rule(), other.rule()));
        all.addAll(check.findings);
      }
    } catch (BddLimitException e) {
      throw new UndecidedException("the policy's conditions are too many: " + e.getMessage());
    }
    return all;
  }

  private void run() {
    Map<Integer, List<Integer>> byNumber = new LinkedHashMap<>();
    for (int i = 0; i < rules.size(); i++) {
      byNumber.computeIfAbsent(rules.get(i).nr(), _ -> new ArrayList<>()).add(i);
    }
    byNumber.values().forEach(this::check);
  }

  /**
   * A rule that answers some inputs: those that it matches, and of these the ones that no earlier
   * rule matches.
   */
  private record Live(int rule, int matches, int answers, SeccompAction action) {}

  /** Checks the rules of one number, in order. */
  private void check(List<Integer> indices) {
    List<Live> live = new ArrayList<>();
    int rest = Bdd.TRUE;
    for (int i : indices) {
      SeccompRule rule = rules.get(i);
      int matches = sets.allFunction(rule.conditions());
      int answers = bdd.and(rest, matches);
      if (matches == Bdd.FALSE) {
        add(
            i,
            Kind.NEVER_MATCHES,
            List.of(),
            "can never match: its conditions contradict each other");
      } else if (answers == Bdd.FALSE) {
        addUnreachable(i, matches, live);
      } else {
        live.add(new Live(i, matches, answers, rule.action()));
        rest = bdd.minus(rest, matches);
      }
    }
    checkEffect(live);
  }

  private void addUnreachable(int rule, int matches, List<Live> earlier) {
    List<Integer> covering =
        earlier.stream()
            .filter(other -> bdd.and(other.answers(), matches) != Bdd.FALSE)
            .map(Live::rule)
            .toList();
    String others = covering.stream().map(String::valueOf).collect(Collectors.joining(", "));
    add(
        rule,
        Kind.UNREACHABLE,
        covering,
        "is never reached: %s %s match%s before it whatever it would"
            .formatted(
                covering.size() == 1 ? "rule" : "rules", others, covering.size() == 1 ? "es" : ""));
  }

  /**
   * Finds rules whose inputs would get the same answer from later rules. It starts with the last
   * rule and removes each rule found, so that two rules are not both reported when only one of them
   * is redundant.
   */
  private void checkEffect(List<Live> live) {
    for (int i = live.size() - 1; i >= 0; i--) {
      Live rule = live.get(i);
      int rest = rule.answers();
      boolean effect = false;
      for (Live later : live.subList(i + 1, live.size())) {
        effect |=
            !later.action().equals(rule.action()) && bdd.and(rest, later.matches()) != Bdd.FALSE;
        rest = bdd.minus(rest, later.matches());
      }
      effect |= !policy.defaultAction().equals(rule.action()) && rest != Bdd.FALSE;
      if (!effect) {
        live.remove(i);
        add(
            rule.rule(),
            Kind.NO_EFFECT,
            List.of(),
            "has no effect: %s would be the answer without it".formatted(rule.action()));
      }
    }
  }

  private void add(int rule, Kind kind, List<Integer> covering, String what) {
    int nr = rules.get(rule).nr();
    String call = SystemCallTable.of(architecture).name(nr).orElseGet(() -> "number " + nr);
    findings.add(
        new Finding(
            architecture,
            rule,
            kind,
            covering,
            "%s: rule %d (%s) %s".formatted(architecture.label(), rule, call, what)));
  }
}
