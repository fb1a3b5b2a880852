package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;
import java.time.Duration;

/** {@code struct rusage}, getrusage(2), of which the CPU time is known. */
public final class Usage {
  /** Bytes of one. */
  public static final int SIZE = 144;

  private static final int NANOS_IN_MICRO = 1000;

  private Usage() {}

  /** The structure. */
  public static byte[] ofCpuTime(Duration time) {
    ByteBuffer usage = Struct.allocate(SIZE);
    usage.putLong(time.getSeconds()).putLong(time.getNano() / NANOS_IN_MICRO);
    return Struct.bytes(usage);
  }
}
