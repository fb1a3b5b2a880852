package dev.stubpool.memory;

import dev.stubpool.PathHandle;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;

/** The implementation of {@link PathHandle}: a descriptor, and its path in /proc/self/fd. */
public final class OpenPathHandle implements PathHandle {
  private final int fd;
  private final Path path;
  private final AtomicBoolean closed = new AtomicBoolean();

  private OpenPathHandle(int fd) {
    this.fd = fd;
    this.path = descriptor(fd);
  }

  private static Path descriptor(long fd) {
    return Path.of("/proc/self/fd/" + fd);
  }

  /** See {@link PathHandle#of}. */
  public static OpenPathHandle of(Path path) {
    if (path.getFileSystem() != FileSystems.getDefault()) {
      throw new IllegalArgumentException(
          path + " is no file of the host but of " + path.getFileSystem());
    }
    long fd = FileCalls.open(bytes(path.toAbsolutePath()), Abi.O_PATH | Abi.O_NOFOLLOW, 0);
    return new OpenPathHandle((int) Failures.check(fd, "openat", "making a handle of " + path));
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

  @Override
  public Path path() {
    if (closed.get()) {
      throw new IllegalStateException(path + " is closed");
    }
    return path;
  }

  @Override
  public FileChannel open() throws IOException {
    if (!Files.isRegularFile(path())) {
      throw new IOException("cannot open " + path + " to read it: it is no regular file");
    }
    long opened = FileCalls.open(path.toString(), Abi.O_RDONLY | Abi.O_NONBLOCK, 0);
    Failures.check(opened, "openat", "opening a file by its handle to read it");
    try {
      // Opens the file once more. It is open already, so no other process holds a lease of it that
      // this open would have to wait for.
      return FileChannel.open(descriptor(opened), StandardOpenOption.READ);
    } finally {
      FileCalls.close((int) opened);
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      FileCalls.close(fd);
    }
  }
}
