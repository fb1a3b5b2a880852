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
 * Puts blocks in a line, from the end of the program to its beginning: all jumps go forward, so
 * what a jump can reach has its place already, counted from the end.
 *
 * <p>A block is placed behind its targets, one of them directly, which makes the kernel's
 * translation shorter. A conditional jump reaches no further than 255 instructions; where a target
 * is further away a copy of it, if it is a return, or else an unconditional jump is put right
 * behind the conditional one.
 */
final class Layout {

  private static final int MAX_CONDITIONAL_DISTANCE = 255;

  /** A place that is jumped to: an instruction of a block's source, or its jump. */
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
   * Whether no return may be placed now. The kernel's check of scratch words believes that what
   * stands behind a return is reached from it; a scratch word needed there would be missing.
   */
  private boolean mustJump;

  private Layout() {}

  /**
   * Makes a program.
   *
   * @param root where it begins
   * @return its instructions, any number
   */
  static List<BpfInstruction> layOut(Block root) {
    Layout layout = new Layout();
    layout.enter(root, "nothing");
    if (layout.usesScratch || layout.firstEntries.size() * 2 < MAX_CONDITIONAL_DISTANCE) {
      // All are near: returns between blocks would only part blocks from their successors.
      layout.values.forEach(layout::placeReturn);
    }
    layout.place(root);
    return layout.code.reversed();
  }

  /** Finds out where blocks are entered. Returns how many blocks were new, itself included. */
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
    // The smaller one last, so directly behind: the jump over it is short.
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

  /** How far the next instruction is from an entry, or from a jump there if only that is near. */
  private int distance(Entry entry) {
    int direct = code.size() - place(entry) - 1;
    Integer trampoline = trampolines.get(entry);
    return direct <= MAX_CONDITIONAL_DISTANCE || trampoline == null
        ? direct
        : code.size() - trampoline - 1;
  }

  /** Where an entry lies; of returns the nearest copy. */
  private int place(Entry entry) {
    return switch (entry.block) {
      case Block.Return(int value) -> returns.get(value);
      case Block.Test test -> jumps.get(test) + entry.index;
    };
  }
}
