package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * The variable order of the 512 bits of {@code struct seccomp_data}, on which the size of diagrams
 * depends.
 *
 * <p>The architecture comes first, then the number, then the high and the low half of each field;
 * the highest bit of each word comes first. Words that are combined with each other, as by a sum or
 * a comparison, are interleaved, because a sum of two words in sequence would need a node for each
 * value of the first one.
 */
final class InputOrder {

  static final int WORDS = SeccompData.SIZE / Integer.BYTES;
  static final int VARIABLES = WORDS * Integer.SIZE;

  /** The words in order of importance, by index: offset / 4. */
  private static final int[] RANKING = {1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14};

  private static final int A = 0;
  private static final int X = 1;
  private static final int M = 2;

  /** For each word, a word of the same group; the group's representative is its own. */
  private final int[] parent = new int[WORDS];

  /** The variable of each bit of each word; computed after all groups are known. */
  private final int[] variables = new int[VARIABLES];

  private InputOrder() {
    for (int i = 0; i < WORDS; i++) {
      parent[i] = i;
    }
  }

  /** Creates an order for given programs and policies. */
  static InputOrder of(List<BpfProgram> programs, List<SeccompPolicy> policies) {
    InputOrder order = new InputOrder();
    programs.forEach(order::combine);
    policies.forEach(
        policy ->
            policy
                .rules()
                .values()
                .forEach(
                    rules -> rules.forEach(rule -> rule.conditions().forEach(order::combine))));
    order.assign();
    return order;
  }

  /**
   * The variable of a bit.
   *
   * @param offset the word's offset in bytes
   * @param bit the bit, 0 is the lowest
   */
  int variable(int offset, int bit) {
    return variables[offset / Integer.BYTES * Integer.SIZE + bit];
  }

  /** The input with the given true variables. */
  SeccompData data(BitSet values) {
    int[] words = new int[WORDS];
    for (int i = 0; i < VARIABLES; i++) {
      if (values.get(variables[i])) {
        words[i / Integer.SIZE] |= 1 << i;
      }
    }
    return new SeccompData(
        words[0],
        words[1],
        join(words, 2),
        join(words, 4),
        join(words, 6),
        join(words, 8),
        join(words, 10),
        join(words, 12),
        join(words, 14));
  }

  /** The variables that are true in an input. */
  BitSet values(SeccompData data) {
    BitSet values = new BitSet(VARIABLES);
    for (int i = 0; i < VARIABLES; i++) {
      if ((data.word(i / Integer.SIZE * Integer.BYTES) >>> i & 1) != 0) {
        values.set(variables[i]);
      }
    }
    return values;
  }

  private static long join(int[] words, int low) {
    return ((long) words[low + 1] << Integer.SIZE) | Integer.toUnsignedLong(words[low]);
  }

  private void assign() {
    int variable = 0;
    for (int first : RANKING) {
      List<Integer> group = new ArrayList<>();
      for (int word : RANKING) {
        if (find(word) == find(first)) {
          group.add(word);
        }
      }
      if (group.getFirst() == first) {
        for (int bit = Integer.SIZE - 1; bit >= 0; bit--) {
          for (int word : group) {
            variables[word * Integer.SIZE + bit] = variable++;
          }
        }
      }
    }
  }

  private int find(int word) {
    return parent[word] == word ? word : find(parent[word]);
  }

  /** Puts all words of a mask into one group. */
  private void combine(int mask) {
    int first = find(Integer.numberOfTrailingZeros(mask));
    for (int rest = mask; rest != 0; rest &= rest - 1) {
      parent[find(Integer.numberOfTrailingZeros(rest))] = first;
    }
  }

  private void combine(Condition condition) {
    switch (condition) {
      case Condition.RangeOutside(SeccompField address, SeccompField length, _, _) -> {
        combine(mask(address.lowOffset()) | mask(length.lowOffset()));
        combine(mask(address.highOffset()) | mask(length.highOffset()));
      }
      case Condition.All(List<Condition> conditions) -> conditions.forEach(this::combine);
      case Condition.Any(List<Condition> conditions) -> conditions.forEach(this::combine);
      case Condition.Not(Condition inner) -> combine(inner);
      case Condition.Compare _,
          Condition.MaskedEqual _,
          Condition.InRange _,
          Condition.AnyOf _ -> {}
    }
  }

  private static int mask(int offset) {
    return 1 << (offset / Integer.BYTES);
  }

  /**
   * Finds the words that a program combines, by tracking the words on which A, X and scratch words
   * may depend.
   */
  private void combine(BpfProgram program) {
    int length = program.length();
    int[][] sources = new int[length][M + Bpf.MEMWORDS];
    for (int pc = 0; pc < length; pc++) {
      BpfInstruction instruction = program.instructions().get(pc);
      int[] after = sources[pc].clone();
      int code = instruction.code();
      int k = instruction.k();
      switch (code & 0x07) {
        case Bpf.LD ->
            after[A] =
                switch (code & 0xe0) {
                  case Bpf.ABS -> mask(k);
                  case Bpf.MEM -> after[M + k];
                  default -> 0;
                };
        case Bpf.LDX -> after[X] = (code & 0xe0) == Bpf.MEM ? after[M + k] : 0;
        case Bpf.ST -> after[M + k] = after[A];
        case Bpf.STX -> after[M + k] = after[X];
        case Bpf.ALU -> {
          if ((code & Bpf.X) != 0 && (code & 0xf0) != Bpf.NEG) {
            after[A] |= after[X];
            combineIfAny(after[A]);
          }
        }
        case Bpf.JMP -> {
          if ((code & Bpf.X) != 0) {
            combineIfAny(after[A] | after[X]);
          }
        }
        case Bpf.MISC -> {
          if (code == (Bpf.MISC | Bpf.TXA)) {
            after[A] = after[X];
          } else {
            after[X] = after[A];
          }
        }
        default -> {} // a return
      }
      for (int target : ControlFlow.successors(program, pc)) {
        for (int i = 0; i < after.length; i++) {
          sources[target][i] |= after[i];
        }
      }
    }
  }

  private void combineIfAny(int mask) {
    if (mask != 0) {
      combine(mask);
    }
  }
}
