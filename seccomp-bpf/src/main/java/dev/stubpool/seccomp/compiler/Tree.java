package dev.stubpool.seccomp.compiler;

/** A choice between ranges of one operand, as binary tests. */
sealed interface Tree {

  /**
   * The end.
   *
   * @param target the number of what was chosen
   */
  record Target(int target) implements Tree {}

  /**
   * A test.
   *
   * @param jump JEQ, JGE, JGT or JSET of {@link dev.stubpool.seccomp.bpf.Bpf}
   * @param k the constant
   * @param ifTrue what follows if the test holds
   * @param ifFalse what follows if not
   */
  record Branch(int jump, int k, Tree ifTrue, Tree ifFalse) implements Tree {}
}
