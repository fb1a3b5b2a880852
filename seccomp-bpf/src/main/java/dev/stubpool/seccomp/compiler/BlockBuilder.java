package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Builds the blocks of a diagram. Equal blocks are shared. */
final class BlockBuilder {

  /** The scratch word that holds the low half of a sum. */
  private static final int END_LOW = 0;

  private record Key(Object value, int code, int k, Block ifTrue, Block ifFalse) {}

  /** The low half of address + length. */
  private record EndLow(SeccompField address, SeccompField length) {}

  /** The same, loaded from the scratch word, when X holds another value. */
  private record StoredEndLow(SeccompField address, SeccompField length) {}

  /** The high half of an address, after a carry from the low half. */
  private record CarriedHigh(SeccompField address) {}

  /** The high half of address + length. */
  private record EndHigh(SeccompField address, SeccompField length) {}

  private final Function<Diagram.Choice, Tree> trees;
  private final Map<Diagram.Node, Block> blocks = new HashMap<>();
  private final Map<Key, Block.Test> tests = new HashMap<>();
  private final Map<Integer, Block.Return> returns = new HashMap<>();

  /**
   * Creates a builder.
   *
   * @param trees gives the test tree of a choice; the tree's targets are indices into {@link
   *     #targets}
   */
  BlockBuilder(Function<Diagram.Choice, Tree> trees) {
    this.trees = trees;
  }

  /**
   * The distinct children of a choice; trees refer to them by index.
   *
   * @param choice the choice
   * @return the children, in order of their first ranges
   */
  static List<Diagram.Node> targets(Diagram.Choice choice) {
    return choice.children().stream().distinct().toList();
  }

  /**
   * The block of a diagram.
   *
   * @param node its root
   * @return the block
   */
  Block build(Diagram.Node node) {
    Block block = blocks.get(node);
    if (block == null) {
      block =
          switch (node) {
            case Diagram.Leaf(int value) -> returns.computeIfAbsent(value, Block.Return::new);
            case Diagram.Choice choice -> build(choice);
          };
      blocks.put(node, block);
    }
    return block;
  }

  private Block build(Diagram.Choice choice) {
    return switch (choice.operand()) {
      case Operand.Outside(Condition.RangeOutside condition) ->
          outside(condition, build(choice.child(1)), build(choice.child(0)));
      case Operand.Word word -> {
        List<Block> targets = targets(choice).stream().map(this::build).toList();
        if (word.isMasked() && choice.lo(1) == 1 && choice.size() == 2) {
          yield test(
              source(new Operand.Word(word.offset())),
              Bpf.JSET | Bpf.K,
              word.mask(),
              build(choice.child(1)),
              build(choice.child(0)));
        }
        yield build(source(word), trees.apply(choice), targets);
      }
    };
  }

  private Block build(Block.Source source, Tree tree, List<Block> targets) {
    return switch (tree) {
      case Tree.Target(int target) -> targets.get(target);
      case Tree.Branch(int jump, int k, Tree ifTrue, Tree ifFalse) ->
          test(
              source,
              jump | Bpf.K,
              k,
              build(source, ifTrue, targets),
              build(source, ifFalse, targets));
    };
  }

  private static Block.Source source(Operand.Word word) {
    BpfInstruction load = load(word.offset());
    if (!word.isMasked()) {
      return new Block.Source(word, List.of(load), Optional.empty(), false);
    }
    return new Block.Source(
        word,
        List.of(load, BpfInstruction.of(Bpf.ALU | Bpf.AND | Bpf.K, word.mask())),
        Optional.of(new Operand.Word(word.offset())),
        false);
  }

  private static BpfInstruction load(int offset) {
    return BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, offset);
  }

  private Block test(Block.Source source, int jump, int k, Block ifTrue, Block ifFalse) {
    if (ifTrue.equals(ifFalse)) {
      return ifTrue;
    }
    return tests.computeIfAbsent(
        new Key(source.value(), Bpf.JMP | jump, k, ifTrue, ifFalse),
        key -> new Block.Test(source, key.code, k, ifTrue, ifFalse));
  }

  /**
   * Adds address and length with carry, then compares. An unsigned sum of two words carries if and
   * only if it is less than either of them. X and the scratch word are live only inside.
   */
  private Block outside(Condition.RangeOutside range, Block ifTrue, Block ifFalse) {
    SeccompField address = range.address();
    SeccompField length = range.length();
    BpfInstruction tax = BpfInstruction.of(Bpf.MISC | Bpf.TAX, 0);
    BpfInstruction add = BpfInstruction.of(Bpf.ALU | Bpf.ADD | Bpf.X, 0);
    Block.Source startHigh = source(new Operand.Word(address.highOffset()));

    // address >= hi
    Block byLow =
        test(
            source(new Operand.Word(address.lowOffset())),
            Bpf.JGE | Bpf.K,
            low(range.hiExclusive()),
            ifTrue,
            ifFalse);
    Block endAbove = splitByHigh(startHigh, high(range.hiExclusive()), ifTrue, byLow, ifFalse);

    // end <= lo
    Object endLow = new EndLow(address, length);
    Block endHighEqual =
        test(
            new Block.Source(
                new StoredEndLow(address, length),
                List.of(BpfInstruction.of(Bpf.LD | Bpf.MEM, END_LOW)),
                Optional.empty(),
                true),
            Bpf.JGT | Bpf.K,
            low(range.lo()),
            endAbove,
            ifTrue);

    // A = end.high = X + length.high; X = address.high and the carry
    Object carried = new CarriedHigh(address);
    List<BpfInstruction> sum = new ArrayList<>();
    sum.add(load(address.highOffset()));
    sum.addAll(List.of(tax, load(length.highOffset()), add));
    Block.Source endHigh =
        new Block.Source(new EndHigh(address, length), sum, Optional.of(carried), true);
    Block highAdded = splitByHigh(endHigh, high(range.lo()), endAbove, endHighEqual, ifTrue);
    Block addHigh = test(endHigh, Bpf.JGE | Bpf.X, 0, highAdded, ifFalse);

    // This carries itself only if it becomes 0.
    Block carry =
        test(
            new Block.Source(
                carried,
                List.of(
                    load(address.highOffset()), BpfInstruction.of(Bpf.ALU | Bpf.ADD | Bpf.K, 1)),
                Optional.of(startHigh.value()),
                true),
            Bpf.JEQ | Bpf.K,
            0,
            ifFalse,
            addHigh);

    // M[END_LOW] = address.low + length.low
    Block.Source addLow =
        new Block.Source(
            endLow,
            List.of(
                load(address.lowOffset()),
                tax,
                load(length.lowOffset()),
                add,
                BpfInstruction.of(Bpf.ST, END_LOW)),
            Optional.of(new Operand.Word(address.lowOffset())),
            false);
    return test(addLow, Bpf.JGE | Bpf.X, 0, addHigh, carry);
  }

  /** Branches three ways on how a high half compares. */
  private Block splitByHigh(
      Block.Source source, int high, Block ifAbove, Block ifEqual, Block ifBelow) {
    if (high == 0) {
      return test(source, Bpf.JEQ | Bpf.K, 0, ifEqual, ifAbove);
    }
    Block notAbove = test(source, Bpf.JEQ | Bpf.K, high, ifEqual, ifBelow);
    return test(source, Bpf.JGT | Bpf.K, high, ifAbove, notAbove);
  }

  private static int high(long value) {
    return (int) (value >>> Integer.SIZE);
  }

  private static int low(long value) {
    return (int) value;
  }
}
