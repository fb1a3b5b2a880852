package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Emits the code of single conditions: a jump to one label if the condition holds, to another if
 * not.
 *
 * <p>BPF has 32-bit words, so a 64-bit field is compared in two halves, the high one first.
 */
final class ConditionCompiler {

  private static final int END_LOW = 0;

  private final CodeEmitter code;

  ConditionCompiler(CodeEmitter code) {
    this.code = code;
  }

  void branch(Condition condition, Label ifTrue, Label ifFalse) {
    switch (condition) {
      case Condition.Compare compare -> compare(compare, ifTrue, ifFalse);
      case Condition.MaskedEqual(Condition.Subject subject, long mask, long value) ->
          masked(subject.field(), mask, value, ifTrue, ifFalse);
      case Condition.InRange range -> inRange(range, ifTrue, ifFalse);
      case Condition.AnyOf(Condition.Subject subject, List<Long> values) ->
          anyOf(subject, values, ifTrue, ifFalse);
      case Condition.All(List<Condition> conditions) -> all(conditions, ifTrue, ifFalse);
      case Condition.Any(List<Condition> conditions) -> {
        for (Condition each : conditions.subList(0, conditions.size() - 1)) {
          Label other = code.label("other condition");
          branch(each, ifTrue, other);
          code.bind(other);
        }
        branch(conditions.getLast(), ifTrue, ifFalse);
      }
      case Condition.Not(Condition inner) -> branch(inner, ifFalse, ifTrue);
      case Condition.RangeOutside outside -> rangeOutside(outside, ifTrue, ifFalse);
    }
  }

  /** Emits a conjunction. */
  void all(List<Condition> conjunction, Label ifTrue, Label ifFalse) {
    if (conjunction.isEmpty()) {
      code.jump(ifTrue);
      return;
    }
    for (Condition condition : conjunction.subList(0, conjunction.size() - 1)) {
      Label holds = code.label("condition holds");
      branch(condition, holds, ifFalse);
      code.bind(holds);
    }
    branch(conjunction.getLast(), ifTrue, ifFalse);
  }

  private void compare(Condition.Compare compare, Label ifTrue, Label ifFalse) {
    Condition.Subject subject = compare.subject();
    long value = compare.value();
    switch (compare.comparison()) {
      case EQUAL -> masked(subject.field(), allBits(subject), value, ifTrue, ifFalse);
      case NOT_EQUAL -> masked(subject.field(), allBits(subject), value, ifFalse, ifTrue);
      case GREATER -> above(subject, Bpf.JGT, value, ifTrue, ifFalse);
      case GREATER_OR_EQUAL -> above(subject, Bpf.JGE, value, ifTrue, ifFalse);
      case LESS -> above(subject, Bpf.JGE, value, ifFalse, ifTrue);
      case LESS_OR_EQUAL -> above(subject, Bpf.JGT, value, ifFalse, ifTrue);
      case SIGNED_GREATER -> signedAbove(subject, Bpf.JGT, value, ifTrue, ifFalse);
      case SIGNED_GREATER_OR_EQUAL -> signedAbove(subject, Bpf.JGE, value, ifTrue, ifFalse);
      case SIGNED_LESS -> signedAbove(subject, Bpf.JGE, value, ifFalse, ifTrue);
      case SIGNED_LESS_OR_EQUAL -> signedAbove(subject, Bpf.JGT, value, ifFalse, ifTrue);
    }
  }

  private static long allBits(Condition.Subject subject) {
    return subject.width() == Condition.Width.BITS_64 ? -1 : Condition.LOW_HALF;
  }

  /** Compares the signs first; with equal signs, signed and unsigned order agree. */
  private void signedAbove(
      Condition.Subject subject, int test, long value, Label ifTrue, Label ifFalse) {
    boolean wide = subject.width() == Condition.Width.BITS_64;
    boolean negative = wide ? value < 0 : (int) value < 0;
    Label sameSign = code.label("same sign");
    code.load(wide ? subject.field().highOffset() : subject.field().lowOffset());
    code.jump(Bpf.JSET, 0x80000000, negative ? sameSign : ifFalse, negative ? ifTrue : sameSign);
    code.bind(sameSign);
    above(subject, test, value, ifTrue, ifFalse);
  }

  /** Branches on {@code subject > value} (JGT) or {@code subject >= value} (JGE). */
  private void above(Condition.Subject subject, int test, long value, Label ifTrue, Label ifFalse) {
    if (subject.width() == Condition.Width.BITS_64) {
      Label highsEqual = code.label("highs equal");
      code.load(subject.field().highOffset());
      splitByHigh(high(value), ifTrue, highsEqual, ifFalse);
      code.bind(highsEqual);
    }
    code.load(subject.field().lowOffset());
    code.jump(test, low(value), ifTrue, ifFalse);
  }

  /** Branches three ways on the comparison of A, a high half, with a constant. */
  private void splitByHigh(int high, Label ifAbove, Label ifEqual, Label ifBelow) {
    if (high == 0) {
      code.jump(Bpf.JEQ, high, ifEqual, ifAbove);
      return;
    }
    Label notAbove = code.label("not above");
    code.jump(Bpf.JGT, high, ifAbove, notAbove);
    code.bind(notAbove);
    code.jump(Bpf.JEQ, high, ifEqual, ifBelow);
  }

  private void masked(SeccompField field, long mask, long value, Label ifTrue, Label ifFalse) {
    boolean highCounts = high(mask) != 0;
    boolean lowCounts = low(mask) != 0;
    if (highCounts && lowCounts) {
      Label highMatches = code.label("high matches");
      maskedHalf(field.highOffset(), high(mask), high(value), highMatches, ifFalse);
      code.bind(highMatches);
    }
    if (lowCounts) {
      maskedHalf(field.lowOffset(), low(mask), low(value), ifTrue, ifFalse);
    } else if (highCounts) {
      maskedHalf(field.highOffset(), high(mask), high(value), ifTrue, ifFalse);
    } else {
      code.jump(ifTrue);
    }
  }

  private void maskedHalf(int offset, int mask, int value, Label ifTrue, Label ifFalse) {
    code.load(offset);
    if (mask == -1) {
      code.jump(Bpf.JEQ, value, ifTrue, ifFalse);
    } else if (value == 0) {
      code.jump(Bpf.JSET, mask, ifFalse, ifTrue);
    } else {
      code.alu(Bpf.AND, mask);
      code.jump(Bpf.JEQ, value, ifTrue, ifFalse);
    }
  }

  private void inRange(Condition.InRange range, Label ifTrue, Label ifFalse) {
    Condition.Subject subject = range.subject();
    Label notBelow = code.label("not below");
    above(subject, Bpf.JGE, range.lo(), notBelow, ifFalse);
    code.bind(notBelow);
    above(subject, Bpf.JGT, range.hi(), ifFalse, ifTrue);
  }

  /**
   * Compares the high half with each distinct high half of the values, then the low half with the
   * matching low halves.
   */
  private void anyOf(Condition.Subject subject, List<Long> values, Label ifTrue, Label ifFalse) {
    SeccompField field = subject.field();
    if (subject.width() == Condition.Width.BITS_32) {
      code.load(field.lowOffset());
      equalToAny(values.stream().map(Long::intValue).toList(), ifTrue, ifFalse);
      return;
    }
    Map<Integer, List<Integer>> lowsByHigh = new LinkedHashMap<>();
    for (long value : values) {
      lowsByHigh.computeIfAbsent(high(value), _ -> new ArrayList<>()).add(low(value));
    }
    Iterator<Map.Entry<Integer, List<Integer>>> entries = lowsByHigh.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<Integer, List<Integer>> entry = entries.next();
      Label highMatches = code.label("high matches");
      Label otherHigh = entries.hasNext() ? code.label("other high") : ifFalse;
      code.load(field.highOffset());
      code.jump(Bpf.JEQ, entry.getKey(), highMatches, otherHigh);
      code.bind(highMatches);
      code.load(field.lowOffset());
      equalToAny(entry.getValue(), ifTrue, ifFalse);
      if (entries.hasNext()) {
        code.bind(otherHigh);
      }
    }
  }

  private void equalToAny(List<Integer> values, Label ifTrue, Label ifFalse) {
    for (int value : values.subList(0, values.size() - 1)) {
      Label other = code.label("other low");
      code.jump(Bpf.JEQ, value, ifTrue, other);
      code.bind(other);
    }
    code.jump(Bpf.JEQ, values.getLast(), ifTrue, ifFalse);
  }

  /**
   * Adds address and length with carry, then compares. An unsigned sum of two words carries if and
   * only if it is less than either of them.
   */
  private void rangeOutside(Condition.RangeOutside range, Label ifTrue, Label ifFalse) {
    SeccompField address = range.address();
    SeccompField length = range.length();
    Label carry = code.label("carry");
    Label noCarry = code.label("no carry");
    Label carryAdded = code.label("carry added");
    Label highAdded = code.label("high added");
    Label endHighEqual = code.label("end high equal");
    Label endAbove = code.label("end above");
    Label startHighEqual = code.label("start high equal");

    // M[END_LOW] = address.low + length.low
    code.load(address.lowOffset());
    code.copyToX();
    code.load(length.lowOffset());
    code.aluX(Bpf.ADD);
    code.storeScratch(END_LOW);
    code.jumpX(Bpf.JGE, noCarry, carry);

    // A = X = address.high + carry; this carries itself only if it becomes 0
    code.bind(carry);
    code.load(address.highOffset());
    code.alu(Bpf.ADD, 1);
    code.jump(Bpf.JEQ, 0, ifFalse, carryAdded);
    code.bind(noCarry);
    code.load(address.highOffset());
    code.bind(carryAdded);
    code.copyToX();

    // A = end.high = X + length.high
    code.load(length.highOffset());
    code.aluX(Bpf.ADD);
    code.jumpX(Bpf.JGE, highAdded, ifFalse);

    // end <= lo
    code.bind(highAdded);
    splitByHigh(high(range.lo()), endAbove, endHighEqual, ifTrue);
    code.bind(endHighEqual);
    code.loadScratch(END_LOW);
    code.jump(Bpf.JGT, low(range.lo()), endAbove, ifTrue);

    // address >= hi
    code.bind(endAbove);
    code.load(address.highOffset());
    splitByHigh(high(range.hiExclusive()), ifTrue, startHighEqual, ifFalse);
    code.bind(startHighEqual);
    code.load(address.lowOffset());
    code.jump(Bpf.JGE, low(range.hiExclusive()), ifTrue, ifFalse);
  }

  private static int high(long value) {
    return (int) (value >>> Integer.SIZE);
  }

  private static int low(long value) {
    return (int) value;
  }
}
