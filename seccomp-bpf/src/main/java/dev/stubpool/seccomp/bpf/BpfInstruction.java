package dev.stubpool.seccomp.bpf;

/**
 * One classic BPF instruction: {@code struct sock_filter} of {@code linux/filter.h}.
 *
 * <p>Any combination of fields is accepted, as in the kernel's structure; {@link BpfVerifier}
 * checks whether it is legal.
 *
 * @param code the opcode, 0 to 0xffff; see {@link Bpf}
 * @param jt how many instructions a conditional jump skips if its condition holds, 0 to 255
 * @param jf how many instructions it skips if not, 0 to 255
 * @param k the constant operand, an unsigned 32-bit number
 */
public record BpfInstruction(int code, int jt, int jf, int k) {

  /** The size of an encoded instruction in bytes. */
  public static final int SIZE = 8;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if {@code code}, {@code jt} or {@code jf} is out of range
   */
  public BpfInstruction {
    requireRange("code", code, 0xffff);
    requireRange("jt", jt, 0xff);
    requireRange("jf", jf, 0xff);
  }

  /**
   * Creates an instruction other than a conditional jump.
   *
   * @param code the opcode, 0 to 0xffff
   * @param k the constant operand
   * @return the instruction with {@code jt} and {@code jf} zero
   * @throws IllegalArgumentException if {@code code} is out of range
   */
  public static BpfInstruction of(int code, int k) {
    return new BpfInstruction(code, 0, 0, k);
  }

  private static void requireRange(String name, int value, int max) {
    if (value < 0 || value > max) {
      throw new IllegalArgumentException(name + " must be 0 to " + max + ": " + value);
    }
  }
}
