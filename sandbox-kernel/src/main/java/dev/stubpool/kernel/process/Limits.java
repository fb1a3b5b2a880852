package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.memory.AddressMap;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Resource limits, getrlimit(2). They are stored, but except for open files they do not change the
 * kernel's own limits.
 */
public final class Limits {
  /** Bytes of a {@code struct rlimit}. */
  public static final int SIZE = 16;

  private static final int RLIMIT_STACK = 3;
  private static final int RLIMIT_CORE = 4;
  private static final int RLIMIT_NOFILE = 7;
  private static final int KINDS = 16;
  private static final long INFINITY = -1;

  private final byte[][] limits = new byte[KINDS][];

  /** Creates the initial limits. */
  public Limits() {
    Arrays.fill(limits, bytes(INFINITY, INFINITY));
    limits[RLIMIT_STACK] = bytes(AddressMap.STACK_SIZE, INFINITY);
    limits[RLIMIT_CORE] = bytes(0, INFINITY);
    limits[RLIMIT_NOFILE] = bytes(DescriptorTable.LIMIT, DescriptorTable.LIMIT);
  }

  /** fork(2). */
  Limits copy() {
    Limits copy = new Limits();
    System.arraycopy(limits, 0, copy.limits, 0, KINDS);
    return copy;
  }

  private static byte[] bytes(long soft, long hard) {
    return Struct.bytes(Struct.allocate(SIZE).putLong(soft).putLong(hard));
  }

  /** A {@code struct rlimit}. */
  public byte[] get(int kind) {
    return limits[checked(kind)].clone();
  }

  /** The limit for descriptors. */
  public long openFiles() {
    return Struct.view(limits[RLIMIT_NOFILE]).getLong();
  }

  /** Sets a limit, up to the hard limit. */
  public void set(int kind, byte[] limit) {
    ByteBuffer buffer = Struct.view(limit);
    long soft = buffer.getLong();
    long hard = buffer.getLong();
    long most = Struct.view(limits[checked(kind)]).getLong(Long.BYTES);
    if (Long.compareUnsigned(soft, hard) > 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (Long.compareUnsigned(hard, most) > 0) {
      throw new ErrnoException(Errno.EPERM);
    }
    limits[kind] = limit.clone();
  }

  private static int checked(int kind) {
    if (kind < 0 || kind >= KINDS) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return kind;
  }
}
