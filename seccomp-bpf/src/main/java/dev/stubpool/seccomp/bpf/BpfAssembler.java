package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.SeccompAction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Builds a program instruction by instruction, with labels instead of jump distances.
 *
 * <p>BPF only jumps forward, so a label is used first and bound later. A conditional jump can skip
 * at most 255 instructions. If its label is further away, the assembler inserts a trampoline after
 * it: an unconditional jump, which has no such limit. A trampoline is shared by all conditional
 * jumps that reach it.
 *
 * <p>Operands are not checked; use {@link BpfVerifier} on the result. Not thread-safe.
 */
public final class BpfAssembler {

  /** Stands for the instruction after the jump (fall through). Never bound. */
  public static final Label NEXT = new Label(null, "next");

  private static final int MAX_CONDITIONAL_DISTANCE = 255;

  private final List<Item> items = new ArrayList<>();

  /** Creates an assembler with an empty program. */
  public BpfAssembler() {}

  /** A jump target, which may be used before it is bound. */
  public static final class Label {
    private final BpfAssembler owner;
    private final String name;
    private boolean bound;

    private Label(BpfAssembler owner, String name) {
      this.owner = owner;
      this.name = Objects.requireNonNull(name);
    }

    /**
     * The label's name.
     *
     * @return the name that it was created with
     */
    @Override
    public String toString() {
      return name;
    }
  }

  private sealed interface Item {}

  private record Plain(BpfInstruction instruction) implements Item {}

  private record Always(Label target) implements Item {}

  private record Conditional(int code, int k, Label ifTrue, Label ifFalse) implements Item {}

  private record Binding(Label label) implements Item {}

  /**
   * Creates a label, to be bound once.
   *
   * @param name its name in error messages; need not be unique
   * @return the label
   */
  public Label label(String name) {
    return new Label(this, name);
  }

  /**
   * Binds a label to the next instruction to be emitted.
   *
   * @param label a label of this assembler
   * @return this
   * @throws IllegalArgumentException if the label is bound, is {@link #NEXT} or belongs to another
   *     assembler
   */
  public BpfAssembler bind(Label label) {
    if (label.owner != this) {
      throw new IllegalArgumentException("not a label of this assembler: " + label);
    }
    if (label.bound) {
      throw new IllegalArgumentException("label is already bound: " + label);
    }
    label.bound = true;
    items.add(new Binding(label));
    return this;
  }

  /**
   * Emits {@code A = input[offset]}, a 32-bit word.
   *
   * @param offset the offset in {@code struct seccomp_data}, in bytes
   * @return this
   */
  public BpfAssembler ldAbs(int offset) {
    return plain(Bpf.LD | Bpf.W | Bpf.ABS, offset);
  }

  /**
   * Emits {@code A = k}.
   *
   * @param k the constant
   * @return this
   */
  public BpfAssembler ldImm(int k) {
    return plain(Bpf.LD | Bpf.IMM, k);
  }

  /**
   * Emits {@code A = M[index]}.
   *
   * @param index the scratch word
   * @return this
   */
  public BpfAssembler ldMem(int index) {
    return plain(Bpf.LD | Bpf.MEM, index);
  }

  /**
   * Emits {@code A = length of the input}.
   *
   * @return this
   */
  public BpfAssembler ldLen() {
    return plain(Bpf.LD | Bpf.W | Bpf.LEN, 0);
  }

  /**
   * Emits {@code X = k}.
   *
   * @param k the constant
   * @return this
   */
  public BpfAssembler ldxImm(int k) {
    return plain(Bpf.LDX | Bpf.IMM, k);
  }

  /**
   * Emits {@code X = M[index]}.
   *
   * @param index the scratch word
   * @return this
   */
  public BpfAssembler ldxMem(int index) {
    return plain(Bpf.LDX | Bpf.MEM, index);
  }

  /**
   * Emits {@code X = length of the input}.
   *
   * @return this
   */
  public BpfAssembler ldxLen() {
    return plain(Bpf.LDX | Bpf.W | Bpf.LEN, 0);
  }

  /**
   * Emits {@code M[index] = A}.
   *
   * @param index the scratch word
   * @return this
   */
  public BpfAssembler st(int index) {
    return plain(Bpf.ST, index);
  }

  /**
   * Emits {@code M[index] = X}.
   *
   * @param index the scratch word
   * @return this
   */
  public BpfAssembler stx(int index) {
    return plain(Bpf.STX, index);
  }

  /**
   * Emits {@code A = A operation k}.
   *
   * @param operation an arithmetic constant of {@link Bpf}, such as {@link Bpf#ADD}
   * @param k the constant
   * @return this
   */
  public BpfAssembler alu(int operation, int k) {
    return plain(Bpf.ALU | operation | Bpf.K, k);
  }

  /**
   * Emits {@code A = A operation X}.
   *
   * @param operation an arithmetic constant of {@link Bpf}, such as {@link Bpf#ADD}
   * @return this
   */
  public BpfAssembler aluX(int operation) {
    return plain(Bpf.ALU | operation | Bpf.X, 0);
  }

  /**
   * Emits {@code A = -A}.
   *
   * @return this
   */
  public BpfAssembler neg() {
    return plain(Bpf.ALU | Bpf.NEG, 0);
  }

  /**
   * Emits {@code X = A}.
   *
   * @return this
   */
  public BpfAssembler tax() {
    return plain(Bpf.MISC | Bpf.TAX, 0);
  }

  /**
   * Emits {@code A = X}.
   *
   * @return this
   */
  public BpfAssembler txa() {
    return plain(Bpf.MISC | Bpf.TXA, 0);
  }

  /**
   * Emits an unconditional jump.
   *
   * @param target the target, not yet bound
   * @return this
   * @throws IllegalArgumentException if the label is bound or belongs to another assembler
   */
  public BpfAssembler ja(Label target) {
    requireTarget(target);
    items.add(new Always(target));
    return this;
  }

  /**
   * Emits a conditional jump that compares A with a constant.
   *
   * @param test {@link Bpf#JEQ}, {@link Bpf#JGT}, {@link Bpf#JGE} or {@link Bpf#JSET}
   * @param k the constant
   * @param ifTrue the target if the test holds, not yet bound
   * @param ifFalse the target if it does not, not yet bound
   * @return this
   * @throws IllegalArgumentException if {@code test} is none of the four, or a label is bound or
   *     belongs to another assembler
   */
  public BpfAssembler jump(int test, int k, Label ifTrue, Label ifFalse) {
    return conditional(test, Bpf.K, k, ifTrue, ifFalse);
  }

  /**
   * Emits a conditional jump that compares A with X.
   *
   * @param test {@link Bpf#JEQ}, {@link Bpf#JGT}, {@link Bpf#JGE} or {@link Bpf#JSET}
   * @param ifTrue the target if the test holds, not yet bound
   * @param ifFalse the target if it does not, not yet bound
   * @return this
   * @throws IllegalArgumentException if {@code test} is none of the four, or a label is bound or
   *     belongs to another assembler
   */
  public BpfAssembler jumpX(int test, Label ifTrue, Label ifFalse) {
    return conditional(test, Bpf.X, 0, ifTrue, ifFalse);
  }

  /**
   * Emits {@code return k}.
   *
   * @param k the value, encoded as by {@link SeccompAction#encode}
   * @return this
   */
  public BpfAssembler ret(int k) {
    return plain(Bpf.RET | Bpf.K, k);
  }

  /**
   * Emits the return of an action.
   *
   * @param action the action
   * @return this
   */
  public BpfAssembler ret(SeccompAction action) {
    return ret(action.encode());
  }

  /**
   * Emits {@code return A}.
   *
   * @return this
   */
  public BpfAssembler retA() {
    return plain(Bpf.RET | Bpf.A, 0);
  }

  /**
   * Resolves the labels. The assembler is unchanged, and more instructions may be emitted.
   *
   * @return the program, not verified
   * @throws IllegalStateException if a label in use is not bound, or is bound after the last
   *     instruction, or if the program is empty or longer than {@value Bpf#MAXINSNS} instructions,
   *     trampolines included
   */
  public BpfProgram assemble() {
    List<BpfInstruction> code = resolve();
    int length = code.size();
    if (length < 1 || length > Bpf.MAXINSNS) {
      throw new IllegalStateException(
          "the program has " + length + " instructions; the kernel accepts 1 to " + Bpf.MAXINSNS);
    }
    return new BpfProgram(code);
  }

  /**
   * Resolves the labels without a limit on the number of instructions. The assembler is unchanged,
   * and more instructions may be emitted.
   *
   * @return the instructions in order
   * @throws IllegalStateException if a label in use is not bound, or is bound after the last
   *     instruction
   */
  public List<BpfInstruction> resolve() {
    Layout layout = new Layout();
    for (Item item : items.reversed()) {
      layout.prepend(item);
    }
    return List.copyOf(layout.code);
  }

  private BpfAssembler plain(int code, int k) {
    items.add(new Plain(BpfInstruction.of(code, k)));
    return this;
  }

  private BpfAssembler conditional(int test, int operand, int k, Label ifTrue, Label ifFalse) {
    switch (test) {
      case Bpf.JEQ, Bpf.JGT, Bpf.JGE, Bpf.JSET -> {}
      default -> throw new IllegalArgumentException("not a test: 0x%x".formatted(test));
    }
    requireTarget(ifTrue);
    requireTarget(ifFalse);
    items.add(new Conditional(Bpf.JMP | test | operand, k, ifTrue, ifFalse));
    return this;
  }

  private void requireTarget(Label label) {
    if (label != NEXT && label.owner != this) {
      throw new IllegalArgumentException("not a label of this assembler: " + label);
    }
    if (label.bound) {
      throw new IllegalArgumentException(
          "label is already bound, and BPF only jumps forward: " + label);
    }
  }

  /**
   * The program under construction, laid out from its end to its beginning.
   *
   * <p>All jumps go forward, so when an instruction is prepended, all its possible targets have
   * their final places, and a single pass decides exactly where trampolines are needed. Places are
   * counted from the end, which does not move.
   */
  private static final class Layout {
    private final Deque<BpfInstruction> code = new ArrayDeque<>();
    private final Map<Label, Integer> places = new HashMap<>();

    /** The nearest unconditional jump to each label, equivalent to the label itself. */
    private final Map<Label, Integer> trampolines = new HashMap<>();

    void prepend(Item item) {
      places.put(NEXT, code.size());
      switch (item) {
        case Plain(BpfInstruction instruction) -> code.addFirst(instruction);
        case Always(Label target) -> prependJump(target);
        case Conditional conditional -> prependConditional(conditional);
        case Binding(Label label) -> places.put(label, code.size());
      }
    }

    private void prependJump(Label target) {
      code.addFirst(BpfInstruction.of(Bpf.JMP | Bpf.JA, distance(place(target))));
      trampolines.put(target, code.size());
    }

    private void prependConditional(Conditional jump) {
      // A trampoline for one branch moves the other branch's target away by one: check again.
      int before;
      do {
        before = code.size();
        ensureReach(jump.ifFalse());
        ensureReach(jump.ifTrue());
      } while (code.size() != before);
      code.addFirst(
          new BpfInstruction(jump.code(), reach(jump.ifTrue()), reach(jump.ifFalse()), jump.k()));
    }

    private void ensureReach(Label label) {
      if (reach(label) > MAX_CONDITIONAL_DISTANCE) {
        prependJump(label);
      }
    }

    /** The distance to a label, or to its trampoline if only the trampoline is in reach. */
    private int reach(Label label) {
      int direct = distance(place(label));
      Integer trampoline = trampolines.get(label);
      return direct <= MAX_CONDITIONAL_DISTANCE || trampoline == null
          ? direct
          : distance(trampoline);
    }

    private int distance(int place) {
      return code.size() - place;
    }

    private int place(Label label) {
      Integer place = places.get(label);
      if (place == null) {
        throw new IllegalStateException("label is jumped to and not bound: " + label);
      }
      if (place == 0) {
        throw new IllegalStateException("label is bound behind the last instruction: " + label);
      }
      return place;
    }
  }
}
