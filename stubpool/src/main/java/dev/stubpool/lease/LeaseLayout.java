package dev.stubpool.lease;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.VarHandle;

/**
 * The binary format of a pool's lease table: a header, then one slot for each stub. Numbers are
 * little endian, as on x86-64. Times are nanoseconds of CLOCK_MONOTONIC, which {@link
 * System#nanoTime} returns in every process of a Linux machine.
 *
 * <pre>
 * header      0  magic, "STUBPOOL"
 *             8  int   version
 *            12  int   number of slots
 *            16  int   pid of the JVM
 *            20  int   pid of the source stub, 0 if there is none
 *            24  int   length of the stubs' seccomp filter, in instructions
 *            28  int   bytes of the name
 *            32  name of the pool, UTF-8
 *           256  long  stubs created since the pool was opened
 *           264  long  stubs that died and were not discarded by the pool
 *           272  long  the pool's coarse clock: when its tracer thread was awake last
 *           280  int   slots ever used; all slots behind them are free
 * slot        0  long  word: generation &lt;&lt; 3 | number of the state ({@link LeaseState})
 *             8  long  when the slot came into that state, by the coarse clock
 *            16  int   pid, 0 while the slot is free
 * </pre>
 */
public final class LeaseLayout {
  /**
   * The name of the memfd, which appears in /proc/PID/fd as {@code /memfd:stubpool-leases
   * (deleted)}.
   */
  public static final String FILE_NAME = "stubpool-leases";

  static final long MAGIC = 0x4c4f4f5042555453L; // "STUBPOOL"
  static final int VERSION = 1;

  static final long HEADER_MAGIC = 0;
  static final long HEADER_VERSION = 8;
  static final long HEADER_SLOTS = 12;
  static final long HEADER_JVM_PID = 16;
  static final long HEADER_SOURCE_PID = 20;
  static final long HEADER_FILTER_LENGTH = 24;
  static final long HEADER_NAME_LENGTH = 28;
  static final long HEADER_NAME = 32;
  static final int MOST_NAME_BYTES = 224;
  static final long HEADER_CREATED = 256;
  static final long HEADER_DIED = 264;
  static final long HEADER_CLOCK = 272;
  static final long HEADER_USED = 280;
  static final long HEADER_BYTES = 512;

  static final long SLOT_WORD = 0;
  static final long SLOT_SINCE = 8;
  static final long SLOT_PID = 16;

  /** A cache line, since neighbouring stubs are leased by different threads. */
  static final long SLOT_BYTES = 64;

  static final VarHandle LONG = JAVA_LONG.varHandle();
  static final VarHandle INT = JAVA_INT.varHandle();

  private LeaseLayout() {}

  static long bytes(int slots) {
    return HEADER_BYTES + slots * SLOT_BYTES;
  }

  static long slot(int index) {
    return HEADER_BYTES + index * SLOT_BYTES;
  }

  static long word(long generation, LeaseState state) {
    return generation << LeaseState.BITS | state.number();
  }

  static long generation(long word) {
    return word >>> LeaseState.BITS;
  }
}
