package dev.stubpool.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Which system calls are answered how; a value. {@link #evaluate} is its meaning, {@link
 * SeccompCompiler} makes the filter that means the same.
 *
 * <p>The rules are tried in order and the first one that matches answers. Calls of another
 * convention never match a rule: neither those of another architecture, nor, for x86-64, x32 calls,
 * whose numbers have bit 30 set (the number -1 has, too).
 *
 * @param architecture the architecture whose numbers the rules use
 * @param defaultAction the answer where no rule matches
 * @param badArchitectureAction the answer to calls of another convention
 * @param rules the rules in order
 */
public record SeccompPolicy(
    Architecture architecture,
    SeccompAction defaultAction,
    SeccompAction badArchitectureAction,
    List<SeccompRule> rules) {

  /**
   * Copies the rules and checks their numbers.
   *
   * @throws IllegalArgumentException if a rule's number belongs to another convention
   */
  public SeccompPolicy {
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(defaultAction, "defaultAction");
    Objects.requireNonNull(badArchitectureAction, "badArchitectureAction");
    rules = List.copyOf(rules);
    for (SeccompRule rule : rules) {
      if (architecture.isForeignNumber(rule.nr())) {
        throw new IllegalArgumentException(
            "no %s system call number: 0x%x".formatted(architecture, rule.nr()));
      }
    }
  }

  /**
   * Begins a policy that kills the process for everything.
   *
   * @param architecture the architecture whose numbers the rules use
   * @return a builder
   */
  public static Builder builder(Architecture architecture) {
    return new Builder(architecture);
  }

  /**
   * The meaning of the policy, without any filter.
   *
   * @param data a system call
   * @return the answer
   */
  public SeccompAction evaluate(SeccompData data) {
    if (data.arch() != architecture.auditValue() || architecture.isForeignNumber(data.nr())) {
      return badArchitectureAction;
    }
    for (SeccompRule rule : rules) {
      if (rule.matches(data)) {
        return rule.action();
      }
    }
    return defaultAction;
  }

  /** Collects a policy. Not thread-safe. */
  public static final class Builder {
    private final Architecture architecture;
    private SeccompAction defaultAction = SeccompAction.KILL_PROCESS;
    private SeccompAction badArchitectureAction = SeccompAction.KILL_PROCESS;
    private final List<SeccompRule> rules = new ArrayList<>();

    private Builder(Architecture architecture) {
      this.architecture = architecture;
    }

    /**
     * Sets the answer where no rule matches.
     *
     * @param action the answer; KILL_PROCESS unless set
     * @return this
     */
    public Builder defaultAction(SeccompAction action) {
      defaultAction = action;
      return this;
    }

    /**
     * Sets the answer to calls of another architecture, and to x32 calls under an x86-64 policy.
     *
     * @param action the answer; KILL_PROCESS unless set
     * @return this
     */
    public Builder badArchitectureAction(SeccompAction action) {
      badArchitectureAction = action;
      return this;
    }

    /**
     * Adds a rule behind the others.
     *
     * @param rule the rule
     * @return this
     */
    public Builder rule(SeccompRule rule) {
      rules.add(rule);
      return this;
    }

    /**
     * Adds a rule behind the others.
     *
     * @param nr the system call number
     * @param action the answer
     * @param conditions what must hold
     * @return this
     * @throws IllegalArgumentException if the number is negative
     */
    public Builder rule(int nr, SeccompAction action, Condition... conditions) {
      return rule(new SeccompRule(nr, List.of(conditions), action));
    }

    /**
     * Adds a rule that lets a system call through, behind the others.
     *
     * @param nr the system call number
     * @param conditions what must hold
     * @return this
     * @throws IllegalArgumentException if the number is negative
     */
    public Builder allow(int nr, Condition... conditions) {
      return rule(nr, SeccompAction.ALLOW, conditions);
    }

    /**
     * Makes the policy.
     *
     * @return the policy
     * @throws IllegalArgumentException if a rule's number belongs to another convention
     */
    public SeccompPolicy build() {
      return new SeccompPolicy(architecture, defaultAction, badArchitectureAction, rules);
    }
  }
}
