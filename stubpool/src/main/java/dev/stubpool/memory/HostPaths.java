package dev.stubpool.memory;

import dev.stubpool.nativestubs.calls.FileCalls;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Arrays;

/** Paths of host files as system calls take them: bytes, whatever encoding Java reads them in. */
final class HostPaths {
  private HostPaths() {}

  /**
   * Checks that a path is of the host's file system.
   *
   * @throws IllegalArgumentException if it is of another, such as of a zip file
   */
  static void check(Path path) {
    if (path.getFileSystem() != FileSystems.getDefault()) {
      throw new IllegalArgumentException(
          path + " is no file of the host but of " + path.getFileSystem());
    }
  }

  /** Opens a file of the host, openat(2), close-on-exec. A descriptor, or -errno. */
  static long open(Path path, int flags) {
    return FileCalls.open(bytes(path.toAbsolutePath()), flags, 0);
  }

  /** A path that leads to what a descriptor of this process has open, proc_pid_fd(5). */
  static Path ofDescriptor(long fd) {
    return Path.of("/proc/self/fd/" + fd);
  }

  /**
   * The bytes of an absolute path. Path.toString replaces bytes that are invalid in the locale that
   * Java was started in; the path's URI keeps them.
   */
  private static byte[] bytes(Path path) {
    String text = path.toString();
    if (text.chars().allMatch(c -> c < 0x7f && c != '?')) { // '?' may replace another byte
      return text.getBytes(StandardCharsets.US_ASCII);
    }
    String escaped = path.toUri().getRawPath();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < escaped.length(); i++) {
      if (escaped.charAt(i) == '%') {
        bytes.write(Integer.parseInt(escaped, i + 1, i + 3, 16));
        i += 2;
      } else {
        bytes.write(escaped.charAt(i));
      }
    }
    byte[] all = bytes.toByteArray();
    // The URI of a directory ends with a slash.
    boolean isSlashAdded = all[all.length - 1] == '/' && !text.endsWith("/");
    return isSlashAdded ? Arrays.copyOf(all, all.length - 1) : all;
  }
}
