package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which numbers the kernel finds to be always allowed ({@code seccomp_is_const_allow} of {@code
 * kernel/seccomp.c}, Linux 5.11): those whose way through the filter meets nothing but the number,
 * the architecture, and comparisons.
 */
final class ConstantAllow {

  /** The bitmap covers the native numbers; 512 are more than any architecture has. */
  private static final int NUMBERS = 512;

  private ConstantAllow() {}

  static List<Integer> numbers(List<BpfInstruction> program, Architecture architecture) {
    if (architecture == Architecture.X32) {
      return List.of();
    }
    return IntStream.range(0, NUMBERS)
        .filter(nr -> isAlwaysAllowed(program, architecture.auditValue(), nr))
        .boxed()
        .toList();
  }

  private static boolean isAlwaysAllowed(List<BpfInstruction> program, int arch, int nr) {
    int a = 0;
    for (int pc = 0; pc < program.size(); pc++) {
      BpfInstruction instruction = program.get(pc);
      int k = instruction.k();
      switch (instruction.code()) {
        case Bpf.LD | Bpf.W | Bpf.ABS -> {
          switch (k) {
            case SeccompData.NR_OFFSET -> a = nr;
            case SeccompData.ARCH_OFFSET -> a = arch;
            default -> {
              return false;
            }
          }
        }
        case Bpf.RET | Bpf.K -> {
          return k == SeccompAction.ALLOW.encode();
        }
        case Bpf.JMP | Bpf.JA -> pc += k;
        case Bpf.JMP | Bpf.JEQ | Bpf.K -> pc += a == k ? instruction.jt() : instruction.jf();
        case Bpf.JMP | Bpf.JGE | Bpf.K ->
            pc += Integer.compareUnsigned(a, k) >= 0 ? instruction.jt() : instruction.jf();
        case Bpf.JMP | Bpf.JGT | Bpf.K ->
            pc += Integer.compareUnsigned(a, k) > 0 ? instruction.jt() : instruction.jf();
        case Bpf.JMP | Bpf.JSET | Bpf.K -> pc += (a & k) != 0 ? instruction.jt() : instruction.jf();
        case Bpf.ALU | Bpf.AND | Bpf.K -> a &= k;
        default -> {
          return false;
        }
      }
    }
    throw new IllegalArgumentException("a program that does not return");
  }
}
