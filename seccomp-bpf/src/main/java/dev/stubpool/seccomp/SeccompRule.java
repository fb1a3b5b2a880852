package dev.stubpool.seccomp;

import java.util.List;

/**
 * How a policy answers one system call number if all conditions hold.
 *
 * @param nr the system call number, not negative
 * @param conditions what must hold; with none the rule always applies
 * @param action the answer
 */
public record SeccompRule(int nr, List<Condition> conditions, SeccompAction action) {

  /**
   * Copies the conditions and checks the number.
   *
   * @throws IllegalArgumentException if the number is negative
   */
  public SeccompRule {
    if (nr < 0) {
      throw new IllegalArgumentException("system call numbers are not negative: " + nr);
    }
    conditions = List.copyOf(conditions);
  }

  /**
   * Whether the rule applies.
   *
   * @param data a system call of the policy's architecture
   * @return whether number and conditions match
   */
  public boolean matches(SeccompData data) {
    return data.nr() == nr && conditions.stream().allMatch(condition -> condition.matches(data));
  }
}
