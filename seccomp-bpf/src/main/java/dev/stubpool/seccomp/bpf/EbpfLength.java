package dev.stubpool.seccomp.bpf;

/**
 * How long a filter is once the kernel has translated it to eBPF: what counts for its limit on all
 * filters of a task together ({@code MAX_INSNS_PER_PATH} in {@code kernel/seccomp.c}).
 *
 * <p>As {@code bpf_convert_filter} of {@code net/core/filter.c} does it, as of Linux 6.18.
 */
public final class EbpfLength {

  /** The greatest sum over all filters of a task: of their lengths, and 4 for each older one. */
  public static final int MAX_PATH = 32_768;

  private static final int PROLOGUE = 3;
  private static final int DIVISION_BY_X = 5;

  private EbpfLength() {}

  /**
   * The length of a translated program.
   *
   * @param program a program that the kernel takes
   * @return in eBPF instructions
   */
  public static int of(BpfProgram program) {
    int length = PROLOGUE;
    for (BpfInstruction instruction : program.instructions()) {
      length += of(instruction);
    }
    return length;
  }

  private static int of(BpfInstruction instruction) {
    int code = instruction.code();
    return switch (code & 0x07) {
      case Bpf.RET -> code == (Bpf.RET | Bpf.K) ? 2 : 1;
      case Bpf.ALU -> code == (Bpf.ALU | Bpf.DIV | Bpf.X) ? DIVISION_BY_X : 1;
      case Bpf.JMP -> {
        if (code == (Bpf.JMP | Bpf.JA)) {
          yield 1;
        }
        boolean constant = (code & Bpf.X) == 0;
        boolean invertible = (code & 0xf0) != Bpf.JSET;
        boolean fallsThrough = instruction.jf() == 0 || (instruction.jt() == 0 && invertible);
        // A negative constant would be extended to 64 bits: it goes to a register first.
        yield (fallsThrough ? 1 : 2) + (constant && instruction.k() < 0 ? 1 : 0);
      }
      default -> 1;
    };
  }
}
