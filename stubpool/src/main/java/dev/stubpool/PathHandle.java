package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.FileCalls;
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

/**
 * A file of the host, of any type, held by a descriptor that stays with that file whatever becomes
 * of its name: O_PATH of open(2). Making a handle opens nothing: it waits for nobody, it breaks no
 * lease, and no device and no other end of a pipe notices it.
 *
 * <p>To use a path safely that others may change meanwhile, make a handle of it, look at {@link
 * #path} to decide whether it is the file that is meant, and then use {@link #path} instead of the
 * name. Not for use by several threads at once while one of them closes it.
 */
public final class PathHandle implements AutoCloseable {
  private final int fd;
  private final Path path;
  private final AtomicBoolean closed = new AtomicBoolean();

  private PathHandle(int fd) {
    this.fd = fd;
    this.path = descriptor(fd);
  }

  private static Path descriptor(long fd) {
    return Path.of("/proc/self/fd/" + fd);
  }

  /**
   * Makes a handle of what a path leads to; of a link that is its last name, of the link itself.
   *
   * @throws SystemCallException if there is nothing, or nothing that may be found
   */
  public static PathHandle of(Path path) {
    if (path.getFileSystem() != FileSystems.getDefault()) {
      throw new IllegalArgumentException(
          path + " is no file of the host but of " + path.getFileSystem());
    }
    long fd = FileCalls.open(bytes(path.toAbsolutePath()), Abi.O_PATH | Abi.O_NOFOLLOW, 0);
    return new PathHandle(
        (int) SystemCallException.check(fd, "openat", "making a handle of " + path));
  }

  /**
   * The bytes of an absolute path. Its text need not have them all: that depends on the locale that
   * Java was started in. Its URI does.
   */
  private static byte[] bytes(Path path) {
    String text = path.toString();
    if (text.chars().allMatch(c -> c < 0x7f && c != '?')) { // which may stand for another byte
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
    boolean isSlashAdded = all[all.length - 1] == '/' && !text.endsWith("/"); // of a directory
    return isSlashAdded ? Arrays.copyOf(all, all.length - 1) : all;
  }

  /**
   * A path that leads to this very file until the handle is closed, for every call that follows it:
   * to {@link Files#readAttributes}, to {@link StubPool#mappable}, and, of a directory, to names in
   * it.
   *
   * @throws IllegalStateException if the handle is closed
   */
  public Path path() {
    if (closed.get()) {
      throw new IllegalStateException(path + " is closed");
    }
    return path;
  }

  /**
   * Opens the file to be read, if it is a regular one, and never waits.
   *
   * @throws SystemCallException if it cannot be opened; EAGAIN while another process has to give
   *     back a lease of it, fcntl(2), which this call has asked for
   * @throws IOException if it is no regular file
   */
  public FileChannel open() throws IOException {
    if (!Files.isRegularFile(path())) {
      throw new IOException("cannot open " + path + " to read it: it is no regular file");
    }
    long opened = FileCalls.open(path.toString(), Abi.O_RDONLY | Abi.O_NONBLOCK, 0);
    SystemCallException.check(opened, "openat", "opening a file by its handle to read it");
    try {
      return FileChannel.open(descriptor(opened), StandardOpenOption.READ); // no lease is left
    } finally {
      FileCalls.close((int) opened);
    }
  }

  /** Closes the handle, and nothing that was opened by it. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      FileCalls.close(fd);
    }
  }
}
