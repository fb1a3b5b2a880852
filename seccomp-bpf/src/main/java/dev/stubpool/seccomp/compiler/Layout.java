package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Arranges blocks linearly, from the end of the program to its beginning: all jumps go forward, so
 * every possible target of a jump already has its place, counted from the end.
 *
 * <p>A block is placed before its targets, one of them adjacent, which makes the kernel's
 * translation shorter. A conditional jump can skip at most 255 instructions. If a target is further
 * away, a copy of it, if it is a return, or else an unconditional jump is placed directly after the
 * conditional one.
 */
final class Layout {

  private static final int MAX_CONDITIONAL_DISTANCE = 255;

  /** A jump target: an instruction of a block's source, or its jump. */
  private record Entry(Block block, int index) {}

  /** The program from its end. */
  private final List<BpfInstruction> code = new ArrayList<>();

  private final Map<Block, Integer> firstEntries = new HashMap<>();
  private final Map<Block, Integer> sizes = new HashMap<>();
  private final Map<Block, Integer> jumps = new HashMap<>();
  private final Map<Integer, Integer> returns = new HashMap<>();
  private final Map<Entry, Integer> trampolines = new HashMap<>();
  private final Set<Integer> values = new LinkedHashSet<>();
  private boolean usesScratch;

  /**
   * Whether no return may be placed now. The kernel's check of scratch words assumes that the code
   * after a return is reached from it, and would find a scratch word uninitialised there.
   */
  private boolean mustJump;

  private Layout() {}

  /**
   * Builds a program.
   *
   * @param root its entry
   * @return its instructions, of any number
   */
  static List<BpfInstruction> layOut(Block root) {
    Layout layout = new Layout();
    layout.enter(root, "nothing");
    if (layout.usesScratch || layout.firstEntries.size() * 2 < MAX_CONDITIONAL_DISTANCE) {
      // All targets are in reach: returns between blocks would only separate blocks from
      // successors.
      layout.values.forEach(layout::placeReturn);
    }
    layout.place(root);
    return layout.code.reversed();
  }

  /**
   * Finds the instructions at which blocks are entered. Returns the number of new blocks, this one
   * included.
   */
  private int enter(Block block, Object held) {
    if (block instanceof Block.Return(int value)) {
      values.add(value);
      return 0;
    }
    Block.Test test = (Block.Test) block;
    int entry = test.source().entry(held);
    Integer known = firstEntries.get(block);
    if (known != null) {
      firstEntries.put(block, Math.min(known, entry));
      return 0;
    }
    firstEntries.put(block, entry);
    usesScratch |= test.source().needsScratch();
    Object value = test.source().value();
    int size = 1 + enter(test.ifTrue(), value) + enter(test.ifFalse(), value);
    sizes.put(block, size);
    return size;
  }

  private void place(Block block) {
    if (jumps.containsKey(block)) {
      return;
    }
    if (block instanceof Block.Return(int value)) {
      if (!returns.containsKey(value)) {
        placeReturn(value);
      }
      return;
    }
    // The smaller one is placed last, so adjacent: the jump over it is short.
    Block.Test test = (Block.Test) block;
    boolean trueLast = size(test.ifTrue()) <= size(test.ifFalse());
    if ((test.code() & 0xf0) == Bpf.JSET && size(test.ifFalse()) > 0) {
      trueLast = size(test.ifTrue()) * 2 < size(test.ifFalse()) && size(test.ifFalse()) > 50;
    }
    place(trueLast ? test.ifFalse() : test.ifTrue());
    place(trueLast ? test.ifTrue() : test.ifFalse());
    emit(test);
  }

  private int size(Block block) {
    return jumps.containsKey(block) ? 0 : sizes.getOrDefault(block, 0);
  }

  private void emit(Block.Test test) {
    Entry ifTrue = entry(test, test.ifTrue());
    Entry ifFalse = entry(test, test.ifFalse());
    int before;
    do {
      before = code.size();
      ensureReach(ifFalse);
      ensureReach(ifTrue);
    } while (code.size() != before);
    int jt = distance(ifTrue);
    int jf = distance(ifFalse);
    jumps.put(test, code.size());
    code.add(new BpfInstruction(test.code(), jt, jf, test.k()));
    List<BpfInstruction> source = test.source().instructions();
    for (int i = source.size() - 1; i >= firstEntries.get(test); i--) {
      code.add(source.get(i));
    }
    mustJump = test.source().needsScratch();
  }

  private static Entry entry(Block.Test from, Block to) {
    return switch (to) {
      case Block.Return _ -> new Entry(to, 0);
      case Block.Test test -> {
        int index = test.source().entry(from.source().value());
        yield new Entry(to, test.source().instructions().size() - index);
      }
    };
  }

  private void placeReturn(int value) {
    returns.put(value, code.size());
    code.add(BpfInstruction.of(Bpf.RET | Bpf.K, value));
  }

  private void ensureReach(Entry entry) {
    if (distance(entry) <= MAX_CONDITIONAL_DISTANCE) {
      return;
    }
    if (!mustJump && entry.block instanceof Block.Return(int value)) {
      placeReturn(value);
    } else {
      int k = code.size() - place(entry) - 1;
      trampolines.put(entry, code.size());
      code.add(BpfInstruction.of(Bpf.JMP | Bpf.JA, k));
      mustJump = false;
    }
  }

  /**
   * The distance from the next instruction to an entry, or to a jump there if only that is in
   * reach.
   */
  private int distance(Entry entry) {
    int direct = code.size() - place(entry) - 1;
    Integer trampoline = trampolines.get(entry);
    return direct <= MAX_CONDITIONAL_DISTANCE || trampoline == null
        ? direct
        : code.size() - trampoline - 1;
  }

  /** The place of an entry; for a return, of its nearest copy. */
  private int place(Entry entry) {
    return switch (entry.block) {
      case Block.Return(int value) -> returns.get(value);
      case Block.Test test -> jumps.get(test) + entry.index;
    };
  }
}
