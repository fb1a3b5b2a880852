package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.bpf.BpfAssembler;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * An assembler that tracks which word of {@code struct seccomp_data} is in A and omits redundant
 * loads.
 *
 * <p>At a label, A is known if it is the same on all paths to the label. All paths are known when a
 * label is bound, because jumps only go forward. Conditional jumps here name both targets, so none
 * falls through.
 */
final class CodeEmitter {

  /** The offset of the word in A; empty if unknown. */
  private Optional<Integer> held = Optional.empty();

  private boolean reachable = true;
  private final BpfAssembler assembler = new BpfAssembler();
  private final Map<Label, Optional<Integer>> heldAt = new HashMap<>();

  Label label(String name) {
    return assembler.label(name);
  }

  void bind(Label label) {
    if (reachable) {
      flowTo(label);
    }
    assembler.bind(label);
    held = Objects.requireNonNullElse(heldAt.get(label), Optional.empty());
    reachable = true;
  }

  /** Loads the word at an offset into A, unless it is there. */
  void load(int offset) {
    Optional<Integer> wanted = Optional.of(offset);
    if (!held.equals(wanted)) {
      assembler.ldAbs(offset);
      held = wanted;
    }
  }

  void loadScratch(int index) {
    assembler.ldMem(index);
    held = Optional.empty();
  }

  void storeScratch(int index) {
    assembler.st(index);
  }

  void copyToX() {
    assembler.tax();
  }

  void alu(int operation, int k) {
    assembler.alu(operation, k);
    held = Optional.empty();
  }

  void aluX(int operation) {
    assembler.aluX(operation);
    held = Optional.empty();
  }

  void jump(Label target) {
    assembler.ja(target);
    flowTo(target);
    reachable = false;
  }

  void jump(int test, int k, Label ifTrue, Label ifFalse) {
    assembler.jump(test, k, ifTrue, ifFalse);
    flowTo(ifTrue);
    flowTo(ifFalse);
    reachable = false;
  }

  void jumpX(int test, Label ifTrue, Label ifFalse) {
    assembler.jumpX(test, ifTrue, ifFalse);
    flowTo(ifTrue);
    flowTo(ifFalse);
    reachable = false;
  }

  void ret(SeccompAction action) {
    assembler.ret(action);
    reachable = false;
  }

  List<BpfInstruction> assemble() {
    return assembler.resolve();
  }

  private void flowTo(Label label) {
    heldAt.merge(label, held, (one, other) -> one.equals(other) ? one : Optional.empty());
  }
}
