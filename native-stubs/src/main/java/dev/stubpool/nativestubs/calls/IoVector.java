package dev.stubpool.nativestubs.calls;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** {@code struct iovec}, {@link Abi#IOVEC_SIZE} bytes. */
public final class IoVector {
  private IoVector() {}

  /** Fills the one at {@code offset}. */
  public static void set(MemorySegment vectors, long offset, long base, long length) {
    vectors.set(JAVA_LONG, offset + Abi.IOVEC_base, base);
    vectors.set(JAVA_LONG, offset + Abi.IOVEC_len, length);
  }

  /** The address of the one at {@code offset}. */
  public static long base(MemorySegment vectors, long offset) {
    return vectors.get(JAVA_LONG, offset + Abi.IOVEC_base);
  }

  /** The length of the one at {@code offset}. */
  public static long length(MemorySegment vectors, long offset) {
    return vectors.get(JAVA_LONG, offset + Abi.IOVEC_len);
  }
}
