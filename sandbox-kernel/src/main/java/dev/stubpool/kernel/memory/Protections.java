package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.MapFlags;

/** Converts the protection bits of guests. */
public final class Protections {
  /** PROT_SEM, for atomic operations; no effect on x86. */
  private static final int PROT_SEM = 8;

  private static final int PROT_ALL =
      MapFlags.PROT_READ | MapFlags.PROT_WRITE | MapFlags.PROT_EXEC | PROT_SEM;

  private Protections() {}

  /**
   * Converts the PROT_* bits of mprotect(2).
   *
   * @throws ErrnoException EINVAL for other bits
   */
  static Protection checked(int bits) {
    if (Bits.any(bits, ~PROT_ALL)) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return of(bits);
  }

  /** Converts the PROT_* bits of mmap(2), which ignores other bits. */
  static Protection of(int bits) {
    return of(
        Bits.any(bits, MapFlags.PROT_READ),
        Bits.any(bits, MapFlags.PROT_WRITE),
        Bits.any(bits, MapFlags.PROT_EXEC));
  }

  /** The protection with given permissions. */
  public static Protection of(boolean read, boolean write, boolean execute) {
    if (execute) {
      if (write) {
        return read ? Protection.READ_WRITE_EXECUTE : Protection.WRITE_EXECUTE;
      }
      return read ? Protection.READ_EXECUTE : Protection.EXECUTE;
    }
    if (write) {
      return read ? Protection.READ_WRITE : Protection.WRITE;
    }
    return read ? Protection.READ : Protection.NONE;
  }

  /** Whether it has PROT_READ. */
  static boolean reads(Protection protection) {
    return switch (protection) {
      case READ, READ_WRITE, READ_EXECUTE, READ_WRITE_EXECUTE -> true;
      case NONE, WRITE, EXECUTE, WRITE_EXECUTE -> false;
    };
  }

  /** Whether it has PROT_WRITE. */
  static boolean writes(Protection protection) {
    return switch (protection) {
      case WRITE, READ_WRITE, WRITE_EXECUTE, READ_WRITE_EXECUTE -> true;
      case NONE, READ, EXECUTE, READ_EXECUTE -> false;
    };
  }

  /** Whether it has PROT_EXEC. */
  static boolean executes(Protection protection) {
    return switch (protection) {
      case EXECUTE, READ_EXECUTE, WRITE_EXECUTE, READ_WRITE_EXECUTE -> true;
      case NONE, READ, WRITE, READ_WRITE -> false;
    };
  }
}
