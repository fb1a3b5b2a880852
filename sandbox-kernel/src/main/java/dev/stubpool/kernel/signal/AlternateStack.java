package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/** An alternate signal stack: {@code stack_t} of sigaltstack(2). */
public record AlternateStack(long start, int flags, long size) {
  /** The size of a {@code stack_t} in bytes. */
  public static final int SIZE = 24;

  public static final int SS_ONSTACK = 1;
  public static final int SS_DISABLE = 2;
  public static final int SS_AUTODISARM = 1 << 31;

  /** No alternate stack. */
  public static final AlternateStack NONE = new AlternateStack(0, SS_DISABLE, 0);

  /** Parses a {@code stack_t}. */
  public static AlternateStack parse(byte[] bytes) {
    ByteBuffer words = Struct.view(bytes);
    return new AlternateStack(words.getLong(0), words.getInt(8), words.getLong(16));
  }

  /** The {@code stack_t} with given flags. */
  public byte[] bytes(int told) {
    return Struct.bytes(Struct.allocate(SIZE).putLong(0, start).putInt(8, told).putLong(16, size));
  }

  /** The {@code stack_t} for a program with a stack pointer. */
  public byte[] bytesFor(long pointer) {
    int used = isUsedBy(pointer) ? SS_ONSTACK : 0;
    return bytes((size == 0 ? SS_DISABLE : used) | autodisarm());
  }

  /** Whether it is disabled when a handler starts, SS_AUTODISARM. */
  public boolean disarms() {
    return autodisarm() != 0;
  }

  private int autodisarm() {
    return flags & SS_AUTODISARM;
  }

  /** The mode: SS_DISABLE, SS_ONSTACK or 0, without flags. */
  public int mode() {
    return flags & ~SS_AUTODISARM;
  }

  /** Whether the stack pointer is on it, so that a handler continues there. */
  public boolean isUsedBy(long pointer) {
    return !disarms() && contains(pointer);
  }

  /** Whether a stack pointer is on it. */
  public boolean contains(long pointer) {
    return Long.compareUnsigned(pointer, start) > 0
        && Long.compareUnsigned(pointer - start, size) <= 0;
  }
}
