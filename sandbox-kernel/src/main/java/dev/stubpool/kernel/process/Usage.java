package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;
import java.time.Duration;

/** {@code struct rusage}, getrusage(2); only the CPU time is filled in. */
public final class Usage {
  /** The size of the structure in bytes. */
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
