package dev.stubpool.seccomp;

import java.util.List;

/**
 * A rule of a policy: the action for one system call number if all conditions hold.
 *
 * @param nr the system call number; any value, also -1, which a tracer sets to skip a call
 * @param conditions the conditions; if the list is empty the rule always applies
 * @param action the action
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
