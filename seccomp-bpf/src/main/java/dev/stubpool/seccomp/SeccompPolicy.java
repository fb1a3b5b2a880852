package dev.stubpool.seccomp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A seccomp policy: maps every system call to an action; an immutable value. {@link #evaluate}
 * defines its meaning; {@link dev.stubpool.seccomp.compiler.SeccompCompiler} compiles it to an
 * equivalent filter.
 *
 * <p>Each architecture has its own rules, which are tried in order: the first match decides. Calls
 * of an architecture that the policy does not name get the bad architecture action. That includes
 * x32 calls if only x86-64 is named, and vice versa.
 *
 * @param defaultAction the action if no rule matches
 * @param badArchitectureAction the action for calls of other architectures
 * @param rules the ordered rules of each architecture; the map is in order of {@link Architecture}
 */
public record SeccompPolicy(
    SeccompAction defaultAction,
    SeccompAction badArchitectureAction,
    Map<Architecture, List<SeccompRule>> rules) {

  /**
   * Copies the rules and checks their system call numbers.
   *
   * @throws IllegalArgumentException if there is no architecture, or a rule's number belongs to
   *     another one
   */
  public SeccompPolicy {
    Objects.requireNonNull(defaultAction, "defaultAction");
    Objects.requireNonNull(badArchitectureAction, "badArchitectureAction");
    if (rules.isEmpty()) {
      throw new IllegalArgumentException("a policy names at least one architecture");
    }
    Map<Architecture, List<SeccompRule>> copy = new EnumMap<>(Architecture.class);
    rules.forEach((architecture, list) -> copy.put(architecture, List.copyOf(list)));
    copy.forEach((architecture, list) -> list.forEach(rule -> checkNumber(architecture, rule)));
    rules = Collections.unmodifiableMap(copy);
  }

  private static void checkNumber(Architecture architecture, SeccompRule rule) {
    if (!architecture.owns(rule.nr())) {
      throw new IllegalArgumentException(
          "no %s system call number: 0x%x".formatted(architecture.label(), rule.nr()));
    }
  }

  /**
   * Starts a policy that kills the process for every call.
   *
   * @param architecture the architecture that the first rules are for
   * @return a builder
   */
  public static Builder builder(Architecture architecture) {
    return new Builder(architecture);
  }

  /**
   * Evaluates the policy directly, without a filter.
   *
   * @param data a system call
   * @return the action
   */
  public SeccompAction evaluate(SeccompData data) {
    List<SeccompRule> own = Architecture.of(data.arch(), data.nr()).map(rules::get).orElse(null);
    if (own == null) {
      return badArchitectureAction;
    }
    for (SeccompRule rule : own) {
      if (rule.matches(data)) {
        return rule.action();
      }
    }
    return defaultAction;
  }

  /** Builds a policy. Not thread-safe. */
  public static final class Builder {
    private SeccompAction defaultAction = SeccompAction.KILL_PROCESS;
    private SeccompAction badArchitectureAction = SeccompAction.KILL_PROCESS;
    private final Map<Architecture, List<SeccompRule>> rules = new EnumMap<>(Architecture.class);
    private Architecture current;

    private Builder(Architecture architecture) {
      architecture(architecture);
    }

    /**
     * Sets the action for calls that no rule matches.
     *
     * @param action the action, by default KILL_PROCESS
     * @return this
     */
    public Builder defaultAction(SeccompAction action) {
      defaultAction = action;
      return this;
    }

    /**
     * Sets the action for calls of architectures that the policy does not name.
     *
     * @param action the action, by default KILL_PROCESS
     * @return this
     */
    public Builder badArchitectureAction(SeccompAction action) {
      badArchitectureAction = action;
      return this;
    }

    /**
     * Adds an architecture, or returns to one; the rules that follow are for it.
     *
     * @param architecture the architecture
     * @return this
     */
    public Builder architecture(Architecture architecture) {
      current = architecture;
      rules.computeIfAbsent(architecture, _ -> new ArrayList<>());
      return this;
    }

    /**
     * Appends a rule to those of the current architecture.
     *
     * @param rule the rule
     * @return this
     */
    public Builder rule(SeccompRule rule) {
      rules.get(current).add(rule);
      return this;
    }

    /**
     * Appends a rule to those of the current architecture.
     *
     * @param nr the system call number
     * @param action the action
     * @param conditions the conditions that must all hold
     * @return this
     */
    public Builder rule(int nr, SeccompAction action, Condition... conditions) {
      return rule(new SeccompRule(nr, List.of(conditions), action));
    }

    /**
     * Appends a rule to those of the current architecture.
     *
     * @param name the system call's name on that architecture, or its number as text
     * @param action the action
     * @param conditions the conditions that must all hold
     * @return this
     * @throws IllegalArgumentException if the architecture has no such call
     */
    public Builder rule(String name, SeccompAction action, Condition... conditions) {
      return rule(SystemCallTable.of(current).number(name), action, conditions);
    }

    /**
     * Appends a rule that allows a system call to those of the current architecture.
     *
     * @param nr the system call number
     * @param conditions the conditions that must all hold
     * @return this
     */
    public Builder allow(int nr, Condition... conditions) {
      return rule(nr, SeccompAction.ALLOW, conditions);
    }

    /**
     * Appends a rule that allows a system call to those of the current architecture.
     *
     * @param name the system call's name on that architecture, or its number as text
     * @param conditions the conditions that must all hold
     * @return this
     * @throws IllegalArgumentException if the architecture has no such call
     */
    public Builder allow(String name, Condition... conditions) {
      return rule(name, SeccompAction.ALLOW, conditions);
    }

    /**
     * Builds the policy.
     *
     * @return the policy
     * @throws IllegalArgumentException if a rule's number belongs to another architecture
     */
    public SeccompPolicy build() {
      return new SeccompPolicy(defaultAction, badArchitectureAction, rules);
    }
  }
}
