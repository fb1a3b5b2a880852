/**
 * Proofs about filters and policies, over every input that the kernel could hand to them.
 *
 * <p>{@link dev.stubpool.seccomp.proof.BpfEquivalence} compares two programs, {@link
 * dev.stubpool.seccomp.proof.PolicyProof} compares a program with the policy that it should
 * implement, {@link dev.stubpool.seccomp.proof.PolicyCheck} finds rules without effect. {@link
 * dev.stubpool.seccomp.proof.BpfMeaning} and {@link dev.stubpool.seccomp.proof.InputSet} answer
 * other questions.
 *
 * <p>Sets of inputs are binary decision diagrams over the 512 bits of {@code struct seccomp_data}
 * (R. E. Bryant, "Graph-Based Algorithms for Boolean Function Manipulation", 1986). If a diagram
 * would become too large, the result is "undecided", never a guess.
 */
package dev.stubpool.seccomp.proof;
