package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.List;
import java.util.Optional;

/** A piece of a filter that is entered at its beginning and ends with a return or a jump. */
sealed interface Block {

  /**
   * Returns.
   *
   * @param value what
   */
  record Return(int value) implements Block {}

  /** Brings a value into A, then branches on it. Compared by identity. */
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
   * How a value gets into A.
   *
   * @param value names the value: what is in A afterwards
   * @param instructions the way there
   * @param resumable a value that, when in A, makes the first instruction needless; {@code value}
   *     in A makes all of them needless
   * @param needsScratch whether a scratch word has to be there, now or later
   */
  record Source(
      Object value,
      List<BpfInstruction> instructions,
      Optional<Object> resumable,
      boolean needsScratch) {

    public Source {
      instructions = List.copyOf(instructions);
    }

    /** The index of the first instruction that is needed when A holds a value. */
    int entry(Object held) {
      if (value.equals(held)) {
        return instructions.size();
      }
      return resumable.isPresent() && resumable.get().equals(held) ? 1 : 0;
    }
  }
}
