package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.Bpf;

/** Thrown if a policy needs more instructions than the kernel accepts. */
public final class FilterTooLongException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  private final int instructions;

  FilterTooLongException(int instructions) {
    super(
        ("the policy compiles to %d instructions, and the kernel accepts %d: name fewer values, or"
                + " share the rules among several filters")
            .formatted(instructions, Bpf.MAXINSNS));
    this.instructions = instructions;
  }

  /**
   * The length that the filter would have.
   *
   * @return the number of instructions, above {@value Bpf#MAXINSNS}
   */
  public int instructions() {
    return instructions;
  }
}
