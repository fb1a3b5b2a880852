package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.SeccompField;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The order in which a diagram tests operands: the words as listed, each after its masked views;
 * sums with carry come last.
 *
 * @param offsets the offsets of the words of all fields, in bytes
 */
record WordOrder(List<Integer> offsets) implements Comparator<Operand> {

  WordOrder {
    offsets = List.copyOf(offsets);
  }

  /**
   * The orders worth trying, the most promising one first.
   *
   * @return distinct orders
   */
  static List<WordOrder> all() {
    List<SeccompField> arguments = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      arguments.add(SeccompField.argument(i));
    }
    List<WordOrder> orders = new ArrayList<>();
    for (boolean pointerFirst : new boolean[] {false, true}) {
      for (List<SeccompField> fields : List.of(arguments, arguments.reversed())) {
        orders.add(of(fields, pointerFirst, true, true));
        orders.add(of(fields, pointerFirst, false, true));
        orders.add(of(fields, pointerFirst, false, false));
        orders.add(of(fields, pointerFirst, true, false));
      }
    }
    return orders;
  }

  /**
   * Creates an order of fields.
   *
   * @param arguments the arguments in order
   * @param pointerFirst whether the instruction pointer comes before them, else after
   * @param halvesApart whether all halves of one kind come before all of the other
   * @param lowFirst whether low halves come before high ones
   * @return the order
   */
  private static WordOrder of(
      List<SeccompField> arguments, boolean pointerFirst, boolean halvesApart, boolean lowFirst) {
    List<Integer> pointer =
        lowFirst
            ? List.of(
                SeccompField.INSTRUCTION_POINTER.lowOffset(),
                SeccompField.INSTRUCTION_POINTER.highOffset())
            : List.of(
                SeccompField.INSTRUCTION_POINTER.highOffset(),
                SeccompField.INSTRUCTION_POINTER.lowOffset());
    List<Integer> offsets = new ArrayList<>();
    if (pointerFirst) {
      offsets.addAll(pointer);
    }
    for (boolean second : new boolean[] {false, true}) {
      for (SeccompField field : arguments) {
        boolean low = lowFirst != second;
        if (halvesApart) {
          offsets.add(low ? field.lowOffset() : field.highOffset());
        } else if (!second) {
          offsets.add(low ? field.lowOffset() : field.highOffset());
          offsets.add(low ? field.highOffset() : field.lowOffset());
        }
      }
    }
    if (!pointerFirst) {
      offsets.addAll(pointer);
    }
    return new WordOrder(offsets);
  }

  @Override
  public int compare(Operand left, Operand right) {
    int byPlace = Integer.compare(place(left), place(right));
    if (byPlace != 0) {
      return byPlace;
    }
    return switch (left) {
      case Operand.Word(int _, int mask) ->
          Integer.compareUnsigned(mask, ((Operand.Word) right).mask());
      case Operand.Outside outside -> compareOutside(outside, (Operand.Outside) right);
    };
  }

  private static int compareOutside(Operand.Outside left, Operand.Outside right) {
    return Comparator.comparing((Operand.Outside outside) -> outside.condition().address())
        .thenComparing(outside -> outside.condition().length())
        .thenComparingLong(outside -> outside.condition().lo())
        .thenComparingLong(outside -> outside.condition().hiExclusive())
        .compare(left, right);
  }

  private int place(Operand operand) {
    return switch (operand) {
      case Operand.Word(int offset, int _) -> offsets.indexOf(offset);
      case Operand.Outside _ -> offsets.size();
    };
  }
}
