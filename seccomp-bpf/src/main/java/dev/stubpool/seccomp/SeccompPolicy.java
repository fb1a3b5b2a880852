package dev.stubpool.seccomp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Which system calls are answered how; a value. {@link #evaluate} is its meaning, {@link
 * dev.stubpool.seccomp.compiler.SeccompCompiler} makes the filter that means the same.
 *
 * <p>Each architecture has rules of its own, which are tried in order: the first one that matches
 * answers. Calls of an architecture that the policy does not name get the bad architecture's
 * answer; so do x32 calls where only x86-64 is named, and the other way round.
 *
 * @param defaultAction the answer where no rule matches
 * @param badArchitectureAction the answer to calls of other architectures
 * @param rules the rules of each architecture in order; in order of {@link Architecture}
 */
public record SeccompPolicy(
    SeccompAction defaultAction,
    SeccompAction badArchitectureAction,
    Map<Architecture, List<SeccompRule>> rules) {

  /**
   * Copies the rules and checks their numbers.
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
   * Begins a policy that kills the process for everything.
   *
   * @param architecture the architecture that the first rules are for
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

  /** Collects a policy. Not thread-safe. */
  public static final class Builder {
    private SeccompAction defaultAction = SeccompAction.KILL_PROCESS;
    private SeccompAction badArchitectureAction = SeccompAction.KILL_PROCESS;
    private final Map<Architecture, List<SeccompRule>> rules = new EnumMap<>(Architecture.class);
    private Architecture current;

    private Builder(Architecture architecture) {
      architecture(architecture);
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
     * Sets the answer to calls of architectures that the policy does not name.
     *
     * @param action the answer; KILL_PROCESS unless set
     * @return this
     */
    public Builder badArchitectureAction(SeccompAction action) {
      badArchitectureAction = action;
      return this;
    }

    /**
     * Names an architecture; the rules that follow are for it.
     *
     * @param architecture one named before, or another one
     * @return this
     */
    public Builder architecture(Architecture architecture) {
      current = architecture;
      rules.computeIfAbsent(architecture, _ -> new ArrayList<>());
      return this;
    }

    /**
     * Adds a rule behind the others of the current architecture.
     *
     * @param rule the rule
     * @return this
     */
    public Builder rule(SeccompRule rule) {
      rules.get(current).add(rule);
      return this;
    }

    /**
     * Adds a rule behind the others of the current architecture.
     *
     * @param nr the system call number
     * @param action the answer
     * @param conditions what must hold
     * @return this
     */
    public Builder rule(int nr, SeccompAction action, Condition... conditions) {
      return rule(new SeccompRule(nr, List.of(conditions), action));
    }

    /**
     * Adds a rule behind the others of the current architecture.
     *
     * @param name the system call's name there, or a number as text
     * @param action the answer
     * @param conditions what must hold
     * @return this
     * @throws IllegalArgumentException if the architecture has no such call
     */
    public Builder rule(String name, SeccompAction action, Condition... conditions) {
      return rule(SystemCallTable.of(current).number(name), action, conditions);
    }

    /**
     * Adds a rule that lets a system call through, behind the others of the current architecture.
     *
     * @param nr the system call number
     * @param conditions what must hold
     * @return this
     */
    public Builder allow(int nr, Condition... conditions) {
      return rule(nr, SeccompAction.ALLOW, conditions);
    }

    /**
     * Adds a rule that lets a system call through, behind the others of the current architecture.
     *
     * @param name the system call's name there, or a number as text
     * @param conditions what must hold
     * @return this
     * @throws IllegalArgumentException if the architecture has no such call
     */
    public Builder allow(String name, Condition... conditions) {
      return rule(name, SeccompAction.ALLOW, conditions);
    }

    /**
     * Makes the policy.
     *
     * @return the policy
     * @throws IllegalArgumentException if a rule's number belongs to another architecture
     */
    public SeccompPolicy build() {
      return new SeccompPolicy(defaultAction, badArchitectureAction, rules);
    }
  }
}
