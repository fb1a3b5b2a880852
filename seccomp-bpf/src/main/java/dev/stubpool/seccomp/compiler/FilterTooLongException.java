package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.Bpf;

/** A policy that needs more instructions than the kernel takes. */
public final class FilterTooLongException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  private final int instructions;

  FilterTooLongException(int instructions) {
    super(
        ("the policy compiles to %d instructions, and the kernel takes %d: name fewer values, or"
                + " share the rules among several filters")
            .formatted(instructions, Bpf.MAXINSNS));
    this.instructions = instructions;
  }

  /**
   * How long the filter would be.
   *
   * @return its number of instructions, above {@value Bpf#MAXINSNS}
   */
  public int instructions() {
    return instructions;
  }
}
