/**
 * Proofs about filters and policies, over every input that the kernel could hand to them.
 *
 * <p>{@link dev.stubpool.seccomp.proof.BpfEquivalence} compares two programs, {@link
 * dev.stubpool.seccomp.proof.PolicyProof} a program with the policy that it should mean, {@link
 * dev.stubpool.seccomp.proof.PolicyCheck} finds rules that do nothing. {@link
 * dev.stubpool.seccomp.proof.BpfMeaning} and {@link dev.stubpool.seccomp.proof.InputSet} are for
 * other questions.
 *
 * <p>Sets of inputs are binary decision diagrams over the 512 bits of {@code struct seccomp_data}
 * (R. E. Bryant, "Graph-Based Algorithms for Boolean Function Manipulation", 1986). Where these
 * would become too large nothing is guessed: the answer is that it is undecided.
 */
package dev.stubpool.seccomp.proof;
