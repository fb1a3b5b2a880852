package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.FileCalls;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** A file of the host that stubs can map. */
public final class HostFile extends Mappable {
  private final long size;

  private HostFile(Path path, int fd, boolean writable, long size) {
    super(path.toString(), fd, writable);
    this.size = size;
  }

  static HostFile open(Path path, OpenOption... options) {
    if (path.getFileSystem() != FileSystems.getDefault()) {
      throw new IllegalArgumentException(
          path + " is no file of the host but of " + path.getFileSystem());
    }
    for (OpenOption option : options) {
      if (option != StandardOpenOption.READ && option != StandardOpenOption.WRITE) {
        throw new IllegalArgumentException(
            option + " makes no sense for a mapping; use READ, or READ and WRITE");
      }
    }
    // A mapping that can be written must be of a descriptor that can be read: mmap(2), EACCES.
    boolean writable = Arrays.asList(options).contains(StandardOpenOption.WRITE);
    int access = writable ? Abi.O_RDWR : Abi.O_RDONLY;
    String step = "opening " + path + " to map it";
    // Without waiting for the other end of a pipe, and not to become the terminal of this JVM.
    long fd =
        FileCalls.open(path.toAbsolutePath().toString(), access | Abi.O_NONBLOCK | Abi.O_NOCTTY, 0);
    if (fd < 0) {
      int errno = (int) -fd;
      throw new SystemCallException("openat", errno, step, advice(errno, writable));
    }
    try {
      // Of what was opened, not of what the path leads to by now.
      return new HostFile(path, (int) fd, writable, Files.size(Path.of("/proc/self/fd/" + fd)));
    } catch (IOException e) {
      FileCalls.close((int) fd);
      throw new StubPoolException("cannot read the size of " + path + ": " + e.getMessage(), e);
    }
  }

  private static String advice(int errno, boolean writable) {
    return switch (errno) {
      case Errno.EACCES, Errno.EPERM, Errno.EROFS, Errno.ETXTBSY ->
          writable ? "opened with READ it could be mapped PRIVATE, and written there" : "";
      default -> "";
    };
  }

  /** Size in bytes when it was opened. */
  @Override
  public long size() {
    return size;
  }
}
