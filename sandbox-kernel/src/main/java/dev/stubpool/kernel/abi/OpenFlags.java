package dev.stubpool.kernel.abi;

import java.util.LinkedHashMap;
import java.util.Map;

/** Flags of open(2) and fcntl(2), of x86-64. */
public final class OpenFlags {
  public static final int O_ACCMODE = 3;
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_LARGEFILE = 0x8000;
  public static final int O_DIRECTORY = 0x1_0000;
  public static final int O_NOFOLLOW = 0x2_0000;
  public static final int O_CLOEXEC = 0x8_0000;
  public static final int O_PATH = 0x20_0000;

  /** O_TMPFILE without the O_DIRECTORY that it includes. */
  public static final int TMPFILE_BIT = 0x40_0000;

  private static final Map<Long, String> NAMES = new LinkedHashMap<>();

  static {
    NAMES.put((long) O_CREAT, "O_CREAT");
    NAMES.put((long) O_EXCL, "O_EXCL");
    NAMES.put(0x100L, "O_NOCTTY");
    NAMES.put((long) O_TRUNC, "O_TRUNC");
    NAMES.put((long) O_APPEND, "O_APPEND");
    NAMES.put((long) O_NONBLOCK, "O_NONBLOCK");
    NAMES.put(0x10_1000L, "O_SYNC");
    NAMES.put(0x1000L, "O_DSYNC");
    NAMES.put((long) O_LARGEFILE, "O_LARGEFILE");
    NAMES.put((long) TMPFILE_BIT | O_DIRECTORY, "O_TMPFILE");
    NAMES.put((long) O_DIRECTORY, "O_DIRECTORY");
    NAMES.put((long) O_NOFOLLOW, "O_NOFOLLOW");
    NAMES.put(0x4_0000L, "O_NOATIME");
    NAMES.put((long) O_CLOEXEC, "O_CLOEXEC");
    NAMES.put((long) O_PATH, "O_PATH");
  }

  private OpenFlags() {}

  /** Formats flags like strace(1). */
  public static String show(long flags) {
    String access =
        switch ((int) flags & O_ACCMODE) {
          case O_RDONLY -> "O_RDONLY";
          case O_WRONLY -> "O_WRONLY";
          case O_RDWR -> "O_RDWR";
          default -> "O_ACCMODE";
        };
    String rest = Bits.show(flags & 0xffff_ffffL & ~O_ACCMODE, NAMES, "");
    return rest.isEmpty() ? access : access + "|" + rest;
  }

  /** Whether flags allow reading. */
  public static boolean reads(int flags) {
    return (flags & O_ACCMODE) != O_WRONLY && !Bits.any(flags, O_PATH);
  }

  /** Whether flags allow writing. */
  public static boolean writes(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY && !Bits.any(flags, O_PATH);
  }
}
