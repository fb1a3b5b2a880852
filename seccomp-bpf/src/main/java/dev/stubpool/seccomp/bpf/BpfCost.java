package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SystemCallTable;
import java.util.BitSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The costs of a program for the kernel and the filtered process, as of Linux 6.18.
 *
 * <p>The kernel translates a filter to eBPF ({@code bpf_convert_filter}, {@code net/core/filter.c})
 * and limits the total translated length of all filters of a thread ({@code kernel/seccomp.c}):
 * each filter except the newest counts four extra instructions, and above {@value #PATH_BUDGET}
 * seccomp(2) fails with ENOMEM.
 *
 * @param instructions the length of the program
 * @param ebpfLength its length after translation
 * @param stackable how many copies of this program a thread can install; at least 1
 * @param minSteps the fewest instructions executed on any path through the program, the return
 *     included; the path need not be feasible
 * @param maxSteps the most instructions executed on any path
 */
public record BpfCost(int instructions, int ebpfLength, int stackable, int minSteps, int maxSteps) {

  /** The limit for the translated instructions of all filters of a thread (MAX_INSNS_PER_PATH). */
  public static final int PATH_BUDGET = 32_768;

  /** The extra instructions that each filter except the newest counts. */
  public static final int STACKING_COST = 4;

  private static final int PROLOGUE = 3;

  /** The architectures for which the kernel has a bitmap. */
  private static final Set<Architecture> WITH_BITMAP =
      EnumSet.complementOf(
          EnumSet.of(
              Architecture.X32,
              Architecture.MIPSEL,
              Architecture.MIPSEL64,
              Architecture.MIPSEL64N32));

  /** The first of Arm's private calls, which the kernel's bitmap does not cover. */
  private static final int ARM_PRIVATE = 0xf0000;

  /**
   * Computes the costs of a program.
   *
   * @param program the program
   * @return its costs
   * @throws IllegalArgumentException if the kernel would refuse it
   */
  public static BpfCost of(BpfProgram program) {
    List<BpfInstruction> instructions = BpfVerifier.requireValid(program).instructions();
    int length = ebpfLength(instructions);
    int stackable = (PATH_BUDGET + STACKING_COST) / (length + STACKING_COST);
    int[] min = new int[instructions.size()];
    int[] max = new int[instructions.size()];
    for (int pc = instructions.size() - 1; pc >= 0; pc--) {
      BpfInstruction instruction = instructions.get(pc);
      int code = instruction.code();
      int next = pc + 1;
      if ((code & 0x07) == Bpf.RET) {
        min[pc] = 1;
        max[pc] = 1;
      } else if (code == (Bpf.JMP | Bpf.JA)) {
        min[pc] = 1 + min[next + instruction.k()];
        max[pc] = 1 + max[next + instruction.k()];
      } else if ((code & 0x07) == Bpf.JMP) {
        int jt = next + instruction.jt();
        int jf = next + instruction.jf();
        min[pc] = 1 + Math.min(min[jt], min[jf]);
        max[pc] = 1 + Math.max(max[jt], max[jf]);
      } else {
        boolean mayEnd = code == (Bpf.ALU | Bpf.DIV | Bpf.X);
        min[pc] = mayEnd ? 1 : 1 + min[next];
        max[pc] = 1 + max[next];
      }
    }
    return new BpfCost(instructions.size(), length, stackable, min[0], max[0]);
  }

  /**
   * The system calls that kernels since Linux 5.11 allow from a bitmap, without running the
   * program. The kernel computes the bitmap when the filter is installed ({@code
   * seccomp_cache_prepare}). If a thread has several filters, a call is in the bitmap only if it is
   * so for all of them.
   *
   * <p>For a call to be in the bitmap, the program must reach a return of exactly SECCOMP_RET_ALLOW
   * from the number and architecture alone, using only loads of these two, jumps, and comparisons
   * and ANDs with constants.
   *
   * @param program the program
   * @param architecture the architecture of the calls
   * @param limit one more than the highest number that the kernel has; higher numbers are never in
   *     the bitmap
   * @return the numbers; none for architectures without such a bitmap: x32 and MIPS
   * @throws IllegalArgumentException if the kernel would refuse the program, or the limit is
   *     negative
   */
  public static BitSet alwaysAllowed(BpfProgram program, Architecture architecture, int limit) {
    if (limit < 0) {
      throw new IllegalArgumentException("limit must not be negative: " + limit);
    }
    BpfInstruction[] instructions =
        BpfVerifier.requireValid(program).instructions().toArray(BpfInstruction[]::new);
    BitSet numbers = new BitSet();
    if (WITH_BITMAP.contains(architecture)) {
      for (int nr = 0; nr < limit; nr++) {
        numbers.set(nr, isAlwaysAllowed(instructions, nr, architecture.auditValue()));
      }
    }
    return numbers;
  }

  /**
   * As {@link #alwaysAllowed(BpfProgram, Architecture, int)}, for the numbers in {@link
   * SystemCallTable}.
   *
   * @param program the program
   * @param architecture the architecture of the calls
   * @return the numbers
   * @throws IllegalArgumentException if the kernel would refuse the program
   */
  public static BitSet alwaysAllowed(BpfProgram program, Architecture architecture) {
    SystemCallTable table = SystemCallTable.of(architecture);
    int last =
        table.names().stream()
            .mapToInt(table::number)
            .filter(nr -> nr < ARM_PRIVATE)
            .max()
            .orElse(-1); // x32 has all of its own above
    return alwaysAllowed(program, architecture, last + 1);
  }

  private static int ebpfLength(List<BpfInstruction> instructions) {
    int length = PROLOGUE;
    for (BpfInstruction instruction : instructions) {
      length += ebpfLength(instruction);
    }
    return length;
  }

  private static int ebpfLength(BpfInstruction instruction) {
    return switch (instruction.code()) {
      case Bpf.RET | Bpf.K -> 2;
      // The translation tests for a divisor of 0 first, and returns.
      case Bpf.ALU | Bpf.DIV | Bpf.X -> 5;
      case Bpf.JMP | Bpf.JEQ | Bpf.K, Bpf.JMP | Bpf.JGT | Bpf.K, Bpf.JMP | Bpf.JGE | Bpf.K ->
          wideConstant(instruction) + (instruction.jf() == 0 || instruction.jt() == 0 ? 1 : 2);
      case Bpf.JMP | Bpf.JEQ | Bpf.X, Bpf.JMP | Bpf.JGT | Bpf.X, Bpf.JMP | Bpf.JGE | Bpf.X ->
          instruction.jf() == 0 || instruction.jt() == 0 ? 1 : 2;
      case Bpf.JMP | Bpf.JSET | Bpf.K ->
          wideConstant(instruction) + (instruction.jf() == 0 ? 1 : 2);
      case Bpf.JMP | Bpf.JSET | Bpf.X -> instruction.jf() == 0 ? 1 : 2;
      default -> 1;
    };
  }

  /**
   * The extra instruction for a constant with bit 31 set: eBPF's immediates are signed, so it is
   * loaded into a register first.
   */
  private static int wideConstant(BpfInstruction jump) {
    return jump.k() < 0 ? 1 : 0;
  }

  private static boolean isAlwaysAllowed(BpfInstruction[] program, int nr, int arch) {
    int a = 0;
    int pc = 0;
    while (true) {
      BpfInstruction instruction = program[pc++];
      int k = instruction.k();
      boolean condition =
          switch (instruction.code()) {
            case Bpf.JMP | Bpf.JEQ | Bpf.K -> a == k;
            case Bpf.JMP | Bpf.JGT | Bpf.K -> Integer.compareUnsigned(a, k) > 0;
            case Bpf.JMP | Bpf.JGE | Bpf.K -> Integer.compareUnsigned(a, k) >= 0;
            case Bpf.JMP | Bpf.JSET | Bpf.K -> (a & k) != 0;
            default -> false;
          };
      switch (instruction.code()) {
        case Bpf.LD | Bpf.W | Bpf.ABS -> {
          if (k != SeccompData.NR_OFFSET && k != SeccompData.ARCH_OFFSET) {
            return false;
          }
          a = k == SeccompData.NR_OFFSET ? nr : arch;
        }
        case Bpf.ALU | Bpf.AND | Bpf.K -> a &= k;
        case Bpf.JMP | Bpf.JA -> pc += k;
        case Bpf.JMP | Bpf.JEQ | Bpf.K,
            Bpf.JMP | Bpf.JGT | Bpf.K,
            Bpf.JMP | Bpf.JGE | Bpf.K,
            Bpf.JMP | Bpf.JSET | Bpf.K ->
            pc += condition ? instruction.jt() : instruction.jf();
        case Bpf.RET | Bpf.K -> {
          return k == SeccompAction.ALLOW.encode();
        }
        default -> {
          return false;
        }
      }
    }
  }
}
