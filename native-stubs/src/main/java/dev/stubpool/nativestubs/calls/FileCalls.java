package dev.stubpool.nativestubs.calls;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Calls about descriptors. All descriptors made here are close-on-exec. */
public final class FileCalls {
  private FileCalls() {}

  /** Opens {@code path} with these flags, openat(2). A descriptor, or -errno. */
  public static long open(String path, int flags, int mode) {
    return open(path.getBytes(StandardCharsets.UTF_8), flags, mode);
  }

  /** {@link #open(String, int, int)} of a path that may be no text: its bytes, without a 0. */
  public static long open(byte[] path, int flags, int mode) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment terminated = arena.allocate(path.length + 1L);
      MemorySegment.copy(path, 0, terminated, ValueLayout.JAVA_BYTE, 0, path.length);
      return Kernel.call(
          Abi.SYS_openat, Abi.AT_FDCWD, terminated.address(), flags | Abi.O_CLOEXEC, mode);
    }
  }

  /**
   * The lowest free descriptor not below {@code lowest} becomes a copy of {@code fd}. It, or
   * -errno.
   */
  public static long duplicateAbove(int fd, int lowest) {
    return Kernel.call(Abi.SYS_fcntl, fd, Abi.F_DUPFD_CLOEXEC, lowest);
  }

  /**
   * {@code to} becomes a copy of {@code fd}, at once, whatever it was, dup3(2). {@code to}, or
   * -errno.
   */
  public static long duplicateOnto(int fd, int to) {
    return Kernel.call(Abi.SYS_dup3, fd, to, Abi.O_CLOEXEC);
  }

  /** Reads what a path leads to into the {@code struct stat} at {@code stat}, stat(2). */
  public static long stat(MemorySegment path, long stat) {
    return Kernel.callOn(path, Abi.SYS_newfstatat, Abi.AT_FDCWD, path.address(), stat, 0, 0, 0);
  }

  /** Writes text to a file of /proc, write(2). Bytes written, or -errno. */
  public static long write(int fd, String text) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(text);
      return Kernel.call(Abi.SYS_write, fd, bytes.address(), bytes.byteSize() - 1);
    }
  }

  /** close(2). */
  public static long close(int fd) {
    return Kernel.call(Abi.SYS_close, fd);
  }

  /** The soft limit of descriptor numbers of this process, prlimit64(2). */
  public static long softLimit() {
    try (Arena arena = Arena.ofConfined()) {
      var limits = arena.allocate(Abi.RLIMIT64_SIZE, Long.BYTES);
      NativeCallException.check(
          Kernel.call(Abi.SYS_prlimit64, 0, Abi.RLIMIT_NOFILE, 0, limits.address()),
          "prlimit64",
          "reading the descriptor limit");
      return limits.get(ValueLayout.JAVA_LONG, Abi.RLIMIT64_soft);
    }
  }
}
