package dev.stubpool;

import java.util.Arrays;

/**
 * A guest's registers as plain data: {@link Guest#save}. Belongs to no guest, stub or thread.
 *
 * <p>Not in it: breakpoints, pending interrupts, memory.
 */
public final class GuestState {
  private final long[] words;
  private final byte[] vectorState;

  GuestState(long[] words, byte[] vectorState) {
    this.words = words;
    this.vectorState = vectorState;
  }

  /** The words of {@code struct user_regs_struct} (sys/user.h), in its order. */
  public long[] words() {
    return words.clone();
  }

  /** The vector state in the standard XSAVE layout. */
  public byte[] vectorState() {
    return vectorState.clone();
  }

  long word(int offset) {
    return words[offset / Long.BYTES];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GuestState state
        && Arrays.equals(words, state.words)
        && Arrays.equals(vectorState, state.vectorState);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(words);
  }
}
