package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.List;
import java.util.Optional;

/** A basic block of a filter: entered at its beginning, ends with a return or a jump. */
sealed interface Block {

  /**
   * Returns a value.
   *
   * @param value the value
   */
  record Return(int value) implements Block {}

  /** Loads a value into A, then branches on it. Compared by identity. */
  final class Test implements Block {
    private final Source source;
    private final int code;
    private final int k;
    private final Block ifTrue;
    private final Block ifFalse;

    Test(Source source, int code, int k, Block ifTrue, Block ifFalse) {
      this.source = source;
      this.code = code;
      this.k = k;
      this.ifTrue = ifTrue;
      this.ifFalse = ifFalse;
    }

    Source source() {
      return source;
    }

    /** The jump's opcode. */
    int code() {
      return code;
    }

    int k() {
      return k;
    }

    Block ifTrue() {
      return ifTrue;
    }

    Block ifFalse() {
      return ifFalse;
    }
  }

  /**
   * How a value is computed into A.
   *
   * @param value identifies the value that is in A afterwards
   * @param instructions the instructions that compute it
   * @param resumable the value in A with which the first instruction can be skipped; with {@code
   *     value} in A, all can
   * @param needsScratch whether this or a later block reads a scratch word
   */
  record Source(
      Object value,
      List<BpfInstruction> instructions,
      Optional<Object> resumable,
      boolean needsScratch) {

    public Source {
      instructions = List.copyOf(instructions);
    }

    /** The index of the first instruction that is needed if A already holds a value. */
    int entry(Object held) {
      if (value.equals(held)) {
        return instructions.size();
      }
      return resumable.isPresent() && resumable.get().equals(held) ? 1 : 0;
    }
  }
}
