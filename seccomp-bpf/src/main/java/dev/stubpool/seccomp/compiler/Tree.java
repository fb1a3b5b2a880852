package dev.stubpool.seccomp.compiler;

/** A binary tree of tests that chooses between ranges of one operand. */
sealed interface Tree {

  /**
   * A leaf.
   *
   * @param target the index of the chosen target
   */
  record Target(int target) implements Tree {}

  /**
   * An inner node: a test.
   *
   * @param jump JEQ, JGE, JGT or JSET of {@link dev.stubpool.seccomp.bpf.Bpf}
   * @param k the constant
   * @param ifTrue the subtree if the test holds
   * @param ifFalse the subtree if it does not
   */
  record Branch(int jump, int k, Tree ifTrue, Tree ifFalse) implements Tree {}
}
