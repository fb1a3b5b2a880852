package dev.stubpool.kernel.abi;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;

/** {@code struct timespec} and {@code struct timeval}: seconds, and nano- or microseconds. */
public final class Timespec {
  /** The size of both structures in bytes. */
  public static final int SIZE = 16;

  private static final int NANOS = 1_000_000_000;
  private static final int MICROS = 1_000_000;
  private static final int NANOS_IN_MICRO = 1000;

  private Timespec() {}

  /** A {@code struct timespec}. */
  public static byte[] bytes(long seconds, long nanos) {
    return Struct.bytes(Struct.allocate(SIZE).putLong(seconds).putLong(nanos));
  }

  /** A {@code struct timespec} of a number of nanoseconds. */
  public static byte[] ofNanos(long nanos) {
    return bytes(Math.floorDiv(nanos, NANOS), Math.floorMod(nanos, NANOS));
  }

  /** A {@code struct timespec}. */
  public static byte[] timespec(Duration time) {
    return bytes(time.getSeconds(), time.getNano());
  }

  /** A {@code struct timeval}, rounded up, so that a time that has not expired is not 0. */
  public static byte[] timeval(Duration time) {
    Duration rounded = time.plusNanos(NANOS_IN_MICRO - 1);
    return bytes(rounded.getSeconds(), rounded.getNano() / NANOS_IN_MICRO);
  }

  /** A {@code struct timeval}. */
  public static byte[] timeval(Instant time) {
    return bytes(time.getEpochSecond(), time.getNano() / NANOS_IN_MICRO);
  }

  /**
   * Parses a {@code struct timespec}.
   *
   * @throws ErrnoException EINVAL for negative seconds, or nanoseconds outside 0 to 999,999,999
   */
  public static Duration parse(byte[] bytes) {
    ByteBuffer buffer = Struct.view(bytes);
    long seconds = buffer.getLong();
    long nanos = buffer.getLong();
    if (seconds < 0 || nanos < 0 || nanos >= NANOS) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return Duration.ofSeconds(seconds, nanos);
  }

  /**
   * Parses a {@code struct timeval}.
   *
   * @throws ErrnoException EINVAL for negative seconds, or microseconds outside 0 to 999,999
   */
  public static Duration parseTimeval(byte[] bytes) {
    ByteBuffer buffer = Struct.view(bytes);
    long seconds = buffer.getLong();
    long micros = buffer.getLong();
    if (seconds < 0 || micros < 0 || micros >= MICROS) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return Duration.ofSeconds(seconds, micros * NANOS_IN_MICRO);
  }
}
