package dev.stubpool.seccomp.proof;

import dev.stubpool.seccomp.SeccompAction;
import java.util.Arrays;
import java.util.Map;

/**
 * The return value for each input, as a word of 32 Boolean functions. Equal answers are equal
 * arrays, because equal functions are equal ints.
 */
final class Answers {

  private static final int WIDTH = Integer.SIZE;
  private static final int DATA_BITS = 16;
  private static final int ERRNO_BITS = Integer.bitCount(SeccompAction.MAX_ERRNO);

  private final Bdd bdd;
  private final BitVectors vectors;
  private int[] bits = BitVectors.constant(0, WIDTH);

  private Answers(Bdd bdd) {
    this.bdd = bdd;
    this.vectors = new BitVectors(bdd);
  }

  /** The values that a program returns. */
  static Answers raw(Bdd bdd, SymbolicRun run) {
    Answers answers = new Answers(bdd);
    run.outcomes().forEach(outcome -> answers.add(outcome.inputs(), outcome.value()));
    return answers;
  }

  /** The values as the kernel decodes them: {@link SeccompAction#decode}, encoded again. */
  static Answers decoded(Bdd bdd, SymbolicRun run) {
    Answers answers = new Answers(bdd);
    run.outcomes()
        .forEach(outcome -> answers.add(outcome.inputs(), answers.decode(outcome.value())));
    return answers;
  }

  /** The answers for disjoint sets that cover all inputs. */
  static Answers of(Bdd bdd, Map<SeccompAction, Integer> inputs) {
    Answers answers = new Answers(bdd);
    inputs.forEach((action, set) -> answers.add(set, BitVectors.constant(action.encode(), WIDTH)));
    return answers;
  }

  private void add(int inputs, int[] value) {
    for (int i = 0; i < WIDTH; i++) {
      bits[i] = bdd.ite(inputs, value[i], bits[i]);
    }
  }

  private int[] decode(int[] value) {
    int[] result = BitVectors.constant(SeccompAction.KILL_PROCESS.encode(), WIDTH);
    for (SeccompAction.Kind kind : SeccompAction.Kind.values()) {
      int[] decoded =
          switch (kind) {
            case TRAP, TRACE -> value;
            case ERRNO -> limitErrno(value);
            default -> BitVectors.constant(new SeccompAction(kind, 0).encode(), WIDTH);
          };
      result = vectors.choose(hasKind(value, kind), decoded, result);
    }
    return result;
  }

  private int[] limitErrno(int[] value) {
    int[] limited = value.clone();
    int tooLarge = Bdd.FALSE;
    for (int i = ERRNO_BITS; i < DATA_BITS; i++) {
      tooLarge = bdd.or(tooLarge, value[i]);
      limited[i] = Bdd.FALSE;
    }
    for (int i = 0; i < ERRNO_BITS; i++) {
      limited[i] = bdd.or(limited[i], tooLarge);
    }
    return limited;
  }

  private int hasKind(int[] value, SeccompAction.Kind kind) {
    int base = new SeccompAction(kind, 0).encode();
    return vectors.equal(
        Arrays.copyOfRange(value, DATA_BITS, WIDTH),
        BitVectors.constant(base >>> DATA_BITS, WIDTH - DATA_BITS));
  }

  /** The inputs whose answer is of a kind; the answers must be decoded. */
  int inputs(SeccompAction.Kind kind) {
    return hasKind(bits, kind);
  }

  /** The inputs whose answer is a value. */
  int inputs(int value) {
    return vectors.equal(bits, BitVectors.constant(value, WIDTH));
  }

  /** The inputs whose answer has given bits under a mask. */
  int inputs(int mask, int value) {
    return vectors.equal(
        vectors.and(bits, BitVectors.constant(mask, WIDTH)),
        BitVectors.constant(value & mask, WIDTH));
  }

  /** The inputs with different answers. */
  int difference(Answers other) {
    int difference = Bdd.FALSE;
    for (int i = 0; i < WIDTH; i++) {
      difference = bdd.or(difference, bdd.xor(bits[i], other.bits[i]));
    }
    return difference;
  }
}
