package dev.stubpool;

import java.util.Arrays;

/**
 * The saved registers of a guest, as returned by {@link Guest#save}: an immutable value that may be
 * used on any thread, stored, and restored in another guest.
 *
 * <p>It does not contain breakpoints, pending interrupts, or memory.
 */
public final class GuestState {
  /** The number of words of {@code struct user_regs_struct} on x86-64. */
  private static final int WORDS = 27;

  private final long[] words;
  private final byte[] vectorState;

  /**
   * Makes a state from its parts, such as those that were stored.
   *
   * @param words the 27 words that {@link #words} returned
   * @param vectorState the bytes that {@link #vectorState} returned
   * @throws IllegalArgumentException if {@code words} has another length
   */
  public GuestState(long[] words, byte[] vectorState) {
    if (words.length != WORDS) {
      throw new IllegalArgumentException(words.length + " words, must be " + WORDS);
    }
    this.words = words.clone();
    this.vectorState = vectorState.clone();
  }

  /** {@return the words of {@code struct user_regs_struct} (sys/user.h), in its order} */
  public long[] words() {
    return words.clone();
  }

  /** {@return the vector state in the standard XSAVE layout} */
  public byte[] vectorState() {
    return vectorState.clone();
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
