package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/** {@code stack_t}, sigaltstack(2). */
public record AlternateStack(long start, int flags, long size) {
  /** Bytes of one. */
  public static final int SIZE = 24;

  public static final int SS_ONSTACK = 1;
  public static final int SS_DISABLE = 2;
  public static final int SS_AUTODISARM = 1 << 31;

  /** No alternate stack. */
  public static final AlternateStack NONE = new AlternateStack(0, SS_DISABLE, 0);

  /** Reads one. */
  public static AlternateStack parse(byte[] bytes) {
    ByteBuffer words = Struct.view(bytes);
    return new AlternateStack(words.getLong(0), words.getInt(8), words.getLong(16));
  }

  /** The {@code stack_t}, with the flags that are to be told. */
  public byte[] bytes(int told) {
    return Struct.bytes(Struct.allocate(SIZE).putLong(0, start).putInt(8, told).putLong(16, size));
  }

  /** What a program is told of it whose stack pointer is this. */
  public byte[] bytesFor(long pointer) {
    int used = isUsedBy(pointer) ? SS_ONSTACK : 0;
    return bytes((size == 0 ? SS_DISABLE : used) | autodisarm());
  }

  /** Whether it is no longer one when a handler begins. */
  public boolean disarms() {
    return autodisarm() != 0;
  }

  private int autodisarm() {
    return flags & SS_AUTODISARM;
  }

  /** SS_DISABLE, SS_ONSTACK or 0, without what goes with it. */
  public int mode() {
    return flags & ~SS_AUTODISARM;
  }

  /** Whether a handler that uses it would have to stay where the stack pointer is. */
  public boolean isUsedBy(long pointer) {
    return !disarms() && contains(pointer);
  }

  /** Whether a stack pointer is on it. */
  public boolean contains(long pointer) {
    return Long.compareUnsigned(pointer, start) > 0
        && Long.compareUnsigned(pointer - start, size) <= 0;
  }
}
