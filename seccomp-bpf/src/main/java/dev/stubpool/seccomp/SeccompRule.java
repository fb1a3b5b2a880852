package dev.stubpool.seccomp;

import java.util.List;

/**
 * How a policy answers one system call number if all conditions hold.
 *
 * @param nr the system call number; any, -1 is what a tracer sets to have a call skipped
 * @param conditions what must hold; with none the rule always applies
 * @param action the answer
 */
public record SeccompRule(int nr, List<Condition> conditions, SeccompAction action) {

  /** Copies the conditions. */
  public SeccompRule {
    conditions = List.copyOf(conditions);
  }

  /**
   * Whether the rule applies.
   *
   * @param data a system call of the architecture that the rule is for
   * @return whether number and conditions match
   */
  public boolean matches(SeccompData data) {
    return data.nr() == nr && conditions.stream().allMatch(condition -> condition.matches(data));
  }
}
