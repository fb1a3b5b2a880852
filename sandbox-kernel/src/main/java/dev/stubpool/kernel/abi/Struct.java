package dev.stubpool.kernel.abi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** C structures in the guest's byte order, little-endian. */
public final class Struct {
  private Struct() {}

  /** Allocates a structure of zeros. */
  public static ByteBuffer allocate(int size) {
    return view(new byte[size]);
  }

  /** Wraps the bytes of a structure. */
  public static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Returns all bytes of a structure. */
  public static byte[] bytes(ByteBuffer struct) {
    byte[] bytes = new byte[struct.capacity()];
    struct.get(0, bytes);
    return bytes;
  }
}
