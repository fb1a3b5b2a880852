package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The facts that hold before an instruction on every path to it (data-flow analysis): the contents
 * of registers, and the possible system calls.
 *
 * <p>Some infeasible paths are left out, such as a second comparison of the same number.
 */
final class PathKnowledge {

  /** The contents of a register or scratch word. */
  sealed interface Value {}

  /** An unknown value. */
  record Unknown() implements Value {}

  /** A constant. */
  record Constant(int value) implements Value {}

  /**
   * A word of the input.
   *
   * @param offset its offset in {@code struct seccomp_data}, in bytes
   * @param mask the bits that were not masked out
   */
  record Word(int offset, int mask) implements Value {}

  private static final Value UNKNOWN = new Unknown();
  private static final Value ZERO = new Constant(0);
  private static final NumberRanges X32_NUMBERS =
      NumberRanges.of(0x4000_0000L, 0x7fff_ffffL).or(NumberRanges.of(0xc000_0000L, 0xffff_fffeL));
  private static final NumberRanges X86_64_NUMBERS = inverse(X32_NUMBERS);

  private final Value[] values;
  private final Set<Architecture> architectures;
  private final boolean othersPossible;
  private final NumberRanges numbers;

  private PathKnowledge(
      Value[] values,
      Set<Architecture> architectures,
      boolean othersPossible,
      NumberRanges numbers) {
    this.values = values;
    this.architectures = architectures;
    this.othersPossible = othersPossible;
    this.numbers = numbers;
  }

  /**
   * Analyses a program.
   *
   * @return for each instruction the facts before it; empty if the instruction is unreachable
   */
  static List<Optional<PathKnowledge>> of(BpfProgram program) {
    List<BpfInstruction> instructions = program.instructions();
    PathKnowledge[] before = new PathKnowledge[instructions.size()];
    Value[] registers = new Value[Bpf.MEMWORDS + 2];
    Arrays.fill(registers, UNKNOWN);
    registers[REGISTER_A] = ZERO;
    registers[REGISTER_X] = ZERO;
    before[0] =
        new PathKnowledge(registers, EnumSet.allOf(Architecture.class), true, NumberRanges.ALL);
    List<Optional<PathKnowledge>> result = new ArrayList<>();
    for (int pc = 0; pc < before.length; pc++) {
      PathKnowledge known = before[pc];
      result.add(Optional.ofNullable(known));
      if (known != null) {
        known.follow(instructions.get(pc), pc, before);
        before[pc] = null;
      }
    }
    return result;
  }

  private static final int REGISTER_A = Bpf.MEMWORDS;
  private static final int REGISTER_X = Bpf.MEMWORDS + 1;

  Value a() {
    return values[REGISTER_A];
  }

  Value x() {
    return values[REGISTER_X];
  }

  /** Whether the architecture here may be one without a table. */
  boolean isArchitectureOpen() {
    return othersPossible;
  }

  /** The possible architectures here that have a table. */
  Set<Architecture> architectures() {
    Set<Architecture> result = EnumSet.copyOf(architectures);
    if (numbers.and(X32_NUMBERS).isEmpty()) {
      result.remove(Architecture.X32);
    }
    if (numbers.and(X86_64_NUMBERS).isEmpty()) {
      result.remove(Architecture.X86_64);
    }
    return result;
  }

  /** The possible system call numbers here; empty if there are more than {@code max}. */
  List<Integer> numbers(int max) {
    return numbers.listed(max);
  }

  private void follow(BpfInstruction instruction, int pc, PathKnowledge[] before) {
    int code = instruction.code();
    if ((code & 0x07) == Bpf.RET) {
      return;
    }
    if (code == (Bpf.JMP | Bpf.JA)) {
      join(before, pc + 1 + Integer.toUnsignedLong(instruction.k()), Optional.of(this));
      return;
    }
    if ((code & 0x07) == Bpf.JMP) {
      Value operand = (code & Bpf.X) == 0 ? new Constant(instruction.k()) : x();
      int test = code & 0xfff0;
      join(before, pc + 1L + instruction.jt(), given(test, operand, true));
      join(before, pc + 1L + instruction.jf(), given(test, operand, false));
      return;
    }
    join(before, pc + 1, Optional.of(after(instruction)));
  }

  private PathKnowledge after(BpfInstruction instruction) {
    int k = instruction.k();
    return switch (instruction.code()) {
      case Bpf.LD | Bpf.W | Bpf.ABS -> with(REGISTER_A, new Word(k, -1));
      case Bpf.LD | Bpf.IMM -> with(REGISTER_A, new Constant(k));
      case Bpf.LD | Bpf.W | Bpf.LEN -> with(REGISTER_A, new Constant(SeccompData.SIZE));
      case Bpf.LD | Bpf.MEM -> with(REGISTER_A, scratch(k));
      case Bpf.LDX | Bpf.IMM -> with(REGISTER_X, new Constant(k));
      case Bpf.LDX | Bpf.W | Bpf.LEN -> with(REGISTER_X, new Constant(SeccompData.SIZE));
      case Bpf.LDX | Bpf.MEM -> with(REGISTER_X, scratch(k));
      case Bpf.ST -> isScratch(k) ? with(k, a()) : this;
      case Bpf.STX -> isScratch(k) ? with(k, x()) : this;
      case Bpf.MISC | Bpf.TAX -> with(REGISTER_X, a());
      case Bpf.MISC | Bpf.TXA -> with(REGISTER_A, x());
      case Bpf.ALU | Bpf.AND | Bpf.K -> with(REGISTER_A, masked(a(), k));
      default ->
          // Whatever else it is: loads of X are all above.
          (instruction.code() & 0x07) == Bpf.LDX
              ? with(REGISTER_X, UNKNOWN)
              : with(REGISTER_A, UNKNOWN);
    };
  }

  private static Value masked(Value value, int mask) {
    return switch (value) {
      case Constant(int k) -> new Constant(k & mask);
      case Word(int offset, int old) -> new Word(offset, old & mask);
      case Unknown _ -> value;
    };
  }

  private static boolean isScratch(int k) {
    return k >= 0 && k < Bpf.MEMWORDS;
  }

  private Value scratch(int k) {
    return isScratch(k) ? values[k] : UNKNOWN;
  }

  private PathKnowledge with(int place, Value value) {
    Value[] changed = values.clone();
    changed[place] = value;
    return new PathKnowledge(changed, architectures, othersPossible, numbers);
  }

  /** The facts after a test of A with a given outcome; empty if that outcome is impossible. */
  private Optional<PathKnowledge> given(int test, Value operand, boolean outcome) {
    if (!(operand instanceof Constant(int k))) {
      return Optional.of(this);
    }
    if (test > Bpf.JSET || test == Bpf.JA) {
      return Optional.of(this); // no instruction
    }
    if (a() instanceof Constant(int value)) {
      return holds(test, value, k) == outcome ? Optional.of(this) : Optional.empty();
    }
    if (!(a() instanceof Word(int offset, int mask)) || mask != -1) {
      return Optional.of(this);
    }
    return switch (offset) {
      case SeccompData.NR_OFFSET -> withNumbers(numbers.and(satisfying(test, k, outcome)));
      case SeccompData.ARCH_OFFSET -> withArchitectures(test, k, outcome);
      default -> Optional.of(this);
    };
  }

  private Optional<PathKnowledge> withNumbers(NumberRanges left) {
    return left.isEmpty()
        ? Optional.empty()
        : Optional.of(new PathKnowledge(values, architectures, othersPossible, left));
  }

  private Optional<PathKnowledge> withArchitectures(int test, int k, boolean outcome) {
    Set<Architecture> left = EnumSet.noneOf(Architecture.class);
    boolean isOfTable = false;
    for (Architecture architecture : Architecture.values()) {
      isOfTable |= architecture.auditValue() == k;
      if (architectures.contains(architecture)
          && holds(test, architecture.auditValue(), k) == outcome) {
        left.add(architecture);
      }
    }
    boolean othersLeft = othersPossible && !(test == Bpf.JEQ && outcome && isOfTable);
    return left.isEmpty() && !othersLeft
        ? Optional.empty()
        : Optional.of(new PathKnowledge(values, left, othersLeft, numbers));
  }

  private static boolean holds(int test, int value, int k) {
    return switch (test) {
      case Bpf.JEQ -> value == k;
      case Bpf.JGT -> Integer.compareUnsigned(value, k) > 0;
      case Bpf.JGE -> Integer.compareUnsigned(value, k) >= 0;
      default -> (value & k) != 0;
    };
  }

  private static NumberRanges satisfying(int test, int constant, boolean outcome) {
    long k = Integer.toUnsignedLong(constant);
    return switch (test) {
      case Bpf.JEQ -> either(NumberRanges.of(k, k), outcome);
      case Bpf.JGT -> either(NumberRanges.of(k + 1, 0xffff_ffffL), outcome);
      case Bpf.JGE -> either(NumberRanges.of(k, 0xffff_ffffL), outcome);
      case Bpf.JSET -> isHighBit(constant) ? either(withBit(k), outcome) : NumberRanges.ALL;
      default -> NumberRanges.ALL;
    };
  }

  private static NumberRanges either(NumberRanges ranges, boolean outcome) {
    return outcome ? ranges : inverse(ranges);
  }

  /** Whether the constant is one of the four highest bits, for which few ranges are needed. */
  private static boolean isHighBit(int k) {
    return Integer.bitCount(k) == 1 && Integer.numberOfLeadingZeros(k) < 4;
  }

  private static NumberRanges withBit(long bit) {
    NumberRanges result = NumberRanges.of(1, 0);
    for (long first = bit; first <= 0xffff_ffffL; first += 2 * bit) {
      result = result.or(NumberRanges.of(first, first + bit - 1));
    }
    return result;
  }

  private static NumberRanges inverse(NumberRanges ranges) {
    NumberRanges result = NumberRanges.ALL;
    for (NumberRanges.Range range : ranges.ranges()) {
      result =
          result.and(
              NumberRanges.of(0, range.first() - 1)
                  .or(NumberRanges.of(range.last() + 1, 0xffff_ffffL)));
    }
    return result;
  }

  private static void join(PathKnowledge[] before, long target, Optional<PathKnowledge> knowledge) {
    if (target >= before.length || knowledge.isEmpty()) {
      return;
    }
    int pc = (int) target;
    before[pc] = before[pc] == null ? knowledge.get() : before[pc].or(knowledge.get());
  }

  private PathKnowledge or(PathKnowledge other) {
    Value[] joined = values.clone();
    for (int i = 0; i < joined.length; i++) {
      if (!joined[i].equals(other.values[i])) {
        joined[i] = UNKNOWN;
      }
    }
    Set<Architecture> either = EnumSet.copyOf(architectures);
    either.addAll(other.architectures);
    return new PathKnowledge(
        joined, either, othersPossible || other.othersPossible, numbers.or(other.numbers));
  }
}
