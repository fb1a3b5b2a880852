package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;

/**
 * A factory of sets of filter inputs, over all 2^512 values of {@code struct seccomp_data}.
 *
 * <p>The sets are reduced ordered binary decision diagrams. Their size depends on the order of
 * bits, which is chosen for given programs and policies. Sets for other programs are correct too,
 * but may be large. Not thread-safe.
 */
public final class InputSets {

  /** The default limit for diagram nodes; a node takes about 24 bytes. */
  public static final int DEFAULT_MAX_NODES = 4_000_000;

  private final Bdd bdd;
  private final InputOrder order;
  private final BitVectors vectors;
  private final int[] weights;

  /** The calls in the tables; computed on first use. */
  private final Map<Architecture, Integer> knownCalls = new EnumMap<>(Architecture.class);

  private InputSets(InputOrder order, int maxNodes) {
    this.order = order;
    this.bdd = new Bdd(InputOrder.VARIABLES, maxNodes);
    this.vectors = new BitVectors(bdd);
    this.weights = new int[InputOrder.VARIABLES];
    for (int offset = 0; offset < SeccompData.SIZE; offset += Integer.BYTES) {
      boolean number = offset == SeccompData.NR_OFFSET || offset == SeccompData.ARCH_OFFSET;
      for (int bit = 0; bit < Integer.SIZE; bit++) {
        weights[order.variable(offset, bit)] = number ? 0 : 1;
      }
    }
  }

  /**
   * Creates a factory for questions about programs.
   *
   * @param programs the programs
   * @return the factory
   * @throws IllegalArgumentException if the kernel would refuse a program
   */
  public static InputSets forPrograms(BpfProgram... programs) {
    return of(List.of(programs), List.of(), DEFAULT_MAX_NODES);
  }

  /**
   * Creates a factory for questions about programs and policies.
   *
   * @param programs the programs
   * @param policies the policies
   * @param maxNodes the limit for diagram nodes, at least 1; the number of steps is limited in
   *     proportion
   * @return the factory
   * @throws IllegalArgumentException if the kernel would refuse a program
   */
  public static InputSets of(
      List<BpfProgram> programs, List<SeccompPolicy> policies, int maxNodes) {
    programs.forEach(BpfVerifier::requireValid);
    return new InputSets(InputOrder.of(programs, policies), maxNodes);
  }

  Bdd bdd() {
    return bdd;
  }

  InputOrder order() {
    return order;
  }

  InputSet set(IntSupplier function) {
    try {
      return new InputSet(this, function.getAsInt());
    } catch (BddLimitException e) {
      throw new UndecidedException("a set of inputs becomes too large: " + e.getMessage());
    }
  }

  int function(InputSet set) {
    if (!equals(set.owner())) {
      throw new IllegalArgumentException("a set of other InputSets");
    }
    return set.function();
  }

  /**
   * Every input.
   *
   * @return the set
   */
  public InputSet all() {
    return new InputSet(this, Bdd.TRUE);
  }

  /**
   * No input.
   *
   * @return the set
   */
  public InputSet none() {
    return new InputSet(this, Bdd.FALSE);
  }

  /**
   * The inputs of an architecture, as defined by {@link Architecture#of}.
   *
   * @param architecture the architecture
   * @return the set
   */
  public InputSet architecture(Architecture architecture) {
    return set(() -> architectureFunction(architecture));
  }

  /**
   * The inputs with a given number, of any architecture.
   *
   * @param nr the number
   * @return the set
   */
  public InputSet number(int nr) {
    return word(SeccompData.NR_OFFSET, -1, nr);
  }

  /**
   * The inputs where some bits of a word have given values.
   *
   * @param offset the word's offset in bytes, a multiple of 4 from 0 to 60
   * @param mask the bits
   * @param value their values; bits outside the mask are ignored
   * @return the set
   */
  public InputSet word(int offset, int mask, int value) {
    return set(() -> wordFunction(offset, mask, value));
  }

  /**
   * The inputs where a word is in a range.
   *
   * @param offset the word's offset in bytes, a multiple of 4 from 0 to 60
   * @param lo the least value, unsigned
   * @param hi the greatest value, unsigned, inclusive
   * @return the set
   */
  public InputSet wordInRange(int offset, int lo, int hi) {
    return set(
        () -> {
          int[] word = bits(offset, Integer.SIZE);
          return bdd.and(
              vectors.greaterOrEqual(word, BitVectors.constant(lo, Integer.SIZE)),
              vectors.greaterOrEqual(BitVectors.constant(hi, Integer.SIZE), word));
        });
  }

  /**
   * The inputs for which a condition holds.
   *
   * @param condition the condition
   * @return the set
   */
  public InputSet condition(Condition condition) {
    return set(() -> conditionFunction(condition));
  }

  int architectureFunction(Architecture architecture) {
    int arch = wordFunction(SeccompData.ARCH_OFFSET, -1, architecture.auditValue());
    int marked =
        bdd.minus(
            wordFunction(SeccompData.NR_OFFSET, Architecture.X32_BIT, -1),
            wordFunction(SeccompData.NR_OFFSET, -1, -1));
    return switch (architecture) {
      case X86_64 -> bdd.minus(arch, marked);
      case X32 -> bdd.and(arch, marked);
      default -> arch;
    };
  }

  int numberFunction(int nr) {
    return wordFunction(SeccompData.NR_OFFSET, -1, nr);
  }

  private int wordFunction(int offset, int mask, int value) {
    int function = Bdd.TRUE;
    for (int i = 0; i < Integer.SIZE; i++) {
      if ((mask >>> i & 1) != 0) {
        int bit = bdd.variable(order.variable(offset, i));
        function = bdd.and((value >>> i & 1) != 0 ? bit : Bdd.not(bit), function);
      }
    }
    return function;
  }

  int conditionFunction(Condition condition) {
    return switch (condition) {
      case Condition.Compare(
              Condition.Subject subject,
              Condition.Comparison comparison,
              long value) ->
          compare(bits(subject), comparison, BitVectors.constant(value, width(subject)));
      case Condition.MaskedEqual(Condition.Subject subject, long mask, long value) -> {
        int[] masked = vectors.and(bits(subject), BitVectors.constant(mask, width(subject)));
        yield vectors.equal(masked, BitVectors.constant(value, width(subject)));
      }
      case Condition.InRange(Condition.Subject subject, long lo, long hi) -> {
        int[] bits = bits(subject);
        int notBelow = vectors.greaterOrEqual(bits, BitVectors.constant(lo, width(subject)));
        int above = vectors.greater(bits, BitVectors.constant(hi, width(subject)));
        yield bdd.minus(notBelow, above);
      }
      case Condition.AnyOf(Condition.Subject subject, List<Long> values) -> {
        int any = Bdd.FALSE;
        for (long value : values) {
          int equal = vectors.equal(bits(subject), BitVectors.constant(value, width(subject)));
          any = bdd.or(any, equal);
        }
        yield any;
      }
      case Condition.All(List<Condition> conditions) -> allFunction(conditions);
      case Condition.Any(List<Condition> conditions) -> {
        int any = Bdd.FALSE;
        for (Condition each : conditions) {
          any = bdd.or(any, conditionFunction(each));
        }
        yield any;
      }
      case Condition.Not(Condition inner) -> Bdd.not(conditionFunction(inner));
      case Condition.RangeOutside outside -> rangeOutside(outside);
    };
  }

  int allFunction(List<Condition> conditions) {
    int all = Bdd.TRUE;
    for (Condition each : conditions) {
      all = bdd.and(all, conditionFunction(each));
    }
    return all;
  }

  private int compare(int[] bits, Condition.Comparison comparison, int[] value) {
    int[] signed = flipSign(bits);
    int[] signedValue = flipSign(value);
    return switch (comparison) {
      case EQUAL -> vectors.equal(bits, value);
      case NOT_EQUAL -> Bdd.not(vectors.equal(bits, value));
      case LESS -> vectors.greater(value, bits);
      case LESS_OR_EQUAL -> vectors.greaterOrEqual(value, bits);
      case GREATER -> vectors.greater(bits, value);
      case GREATER_OR_EQUAL -> vectors.greaterOrEqual(bits, value);
      case SIGNED_LESS -> vectors.greater(signedValue, signed);
      case SIGNED_LESS_OR_EQUAL -> vectors.greaterOrEqual(signedValue, signed);
      case SIGNED_GREATER -> vectors.greater(signed, signedValue);
      case SIGNED_GREATER_OR_EQUAL -> vectors.greaterOrEqual(signed, signedValue);
    };
  }

  /** Flips the sign bit, which turns signed order into unsigned order. */
  private static int[] flipSign(int[] bits) {
    int[] flipped = bits.clone();
    flipped[bits.length - 1] = Bdd.not(bits[bits.length - 1]);
    return flipped;
  }

  private int rangeOutside(Condition.RangeOutside outside) {
    int[] start = bits(outside.address().lowOffset(), Long.SIZE);
    int[] end = vectors.add(start, bits(outside.length().lowOffset(), Long.SIZE));
    int carries = vectors.greater(start, end);
    int below = vectors.greaterOrEqual(BitVectors.constant(outside.lo(), Long.SIZE), end);
    int above =
        vectors.greaterOrEqual(start, BitVectors.constant(outside.hiExclusive(), Long.SIZE));
    return bdd.minus(bdd.or(below, above), carries);
  }

  private static int width(Condition.Subject subject) {
    return subject.width() == Condition.Width.BITS_64 ? Long.SIZE : Integer.SIZE;
  }

  private int[] bits(Condition.Subject subject) {
    SeccompField field = subject.field();
    return bits(field.lowOffset(), width(subject));
  }

  /** The variables of the field at an offset, the lowest bit first. */
  private int[] bits(int offset, int width) {
    int[] bits = new int[width];
    for (int i = 0; i < width; i++) {
      int word = offset + i / Integer.SIZE * Integer.BYTES;
      bits[i] = bdd.variable(order.variable(word, i % Integer.SIZE));
    }
    return bits;
  }

  BitSet variables(int offset, int mask) {
    BitSet variables = new BitSet(InputOrder.VARIABLES);
    for (int i = 0; i < Integer.SIZE; i++) {
      if ((mask >>> i & 1) != 0) {
        variables.set(order.variable(offset, i));
      }
    }
    return variables;
  }

  byte[] restriction(int offset, int mask, int value) {
    byte[] restriction = new byte[InputOrder.VARIABLES];
    Arrays.fill(restriction, Bdd.FREE);
    for (int i = 0; i < Integer.SIZE; i++) {
      if ((mask >>> i & 1) != 0) {
        restriction[order.variable(offset, i)] = (byte) (value >>> i & 1);
      }
    }
    return restriction;
  }

  Optional<SeccompData> example(int function) {
    if (function == Bdd.FALSE) {
      return Optional.empty();
    }
    return Optional.of(order.data(bdd.lightest(preferred(function), weights)));
  }

  /** A nonempty subset with readable elements. */
  private int preferred(int function) {
    try {
      for (Architecture architecture : Architecture.values()) {
        int known = bdd.and(function, knownCalls(architecture));
        if (known != Bdd.FALSE) {
          return known;
        }
      }
      for (Architecture architecture : Architecture.values()) {
        int calls = bdd.and(function, architectureFunction(architecture));
        if (calls != Bdd.FALSE) {
          return calls;
        }
      }
      return function;
    } catch (BddLimitException _) {
      return function; // any element does
    }
  }

  private int knownCalls(Architecture architecture) {
    Integer known = knownCalls.get(architecture);
    if (known == null) {
      SystemCallTable table = SystemCallTable.of(architecture);
      int[] numbers = table.names().stream().mapToInt(table::number).sorted().toArray();
      known = Bdd.FALSE;
      for (int i = numbers.length - 1; i >= 0; i--) {
        known = bdd.or(numberFunction(numbers[i]), known);
      }
      known = bdd.and(architectureFunction(architecture), known);
      knownCalls.put(architecture, known);
    }
    return known;
  }
}
