package dev.stubpool.kernel.abi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Structures of C as the guest's machine has them: little-endian. */
public final class Struct {
  private Struct() {}

  /** One of zeros, to be filled. */
  public static ByteBuffer allocate(int size) {
    return view(new byte[size]);
  }

  /** One that is there, to be read. */
  public static ByteBuffer view(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** All bytes of one. */
  public static byte[] bytes(ByteBuffer struct) {
    byte[] bytes = new byte[struct.capacity()];
    struct.get(0, bytes);
    return bytes;
  }
}
