package dev.stubpool.memory;

import dev.stubpool.HostFile;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** The implementation of {@link HostFile}: an open descriptor, and the size of its file. */
public final class OpenHostFile extends MappableFile implements HostFile {
  private final long size;

  private OpenHostFile(Path path, int fd, boolean writable, long size) {
    super(path.toString(), fd, writable);
    this.size = size;
  }

  /**
   * Opens a file.
   *
   * @throws dev.stubpool.SystemCallException if it cannot be opened
   * @throws IllegalArgumentException for options other than READ and WRITE, and for paths that are
   *     not of the host
   */
  public static OpenHostFile open(Path path, OpenOption... options) {
    HostPaths.check(path);
    for (OpenOption option : options) {
      if (option != StandardOpenOption.READ && option != StandardOpenOption.WRITE) {
        throw new IllegalArgumentException(
            option + " makes no sense for a mapping; use READ, or READ and WRITE");
      }
    }
    // Opened for reading too: mmap(2) needs that of every descriptor, else EACCES.
    boolean writable = Arrays.asList(options).contains(StandardOpenOption.WRITE);
    int access = writable ? Abi.O_RDWR : Abi.O_RDONLY;
    String step = "opening " + path + " to map it";
    // O_NONBLOCK: do not wait for the other end of a pipe. O_NOCTTY: a terminal must not become the
    // controlling terminal of this JVM.
    long fd = HostPaths.open(path, access | Abi.O_NONBLOCK | Abi.O_NOCTTY);
    if (fd < 0) {
      int errno = (int) -fd;
      throw Failures.make().systemCall("openat", errno, step, advice(errno, writable));
    }
    try {
      // The size of the file that was opened: the path may name another file by now.
      return new OpenHostFile(path, (int) fd, writable, Files.size(HostPaths.ofDescriptor(fd)));
    } catch (IOException e) {
      FileCalls.close((int) fd);
      throw Failures.make().other("cannot read the size of " + path + ": " + e.getMessage(), e);
    }
  }

  private static String advice(int errno, boolean writable) {
    return switch (errno) {
      case Errno.EACCES, Errno.EPERM, Errno.EROFS, Errno.ETXTBSY ->
          writable
              ? "to write only to private copies of its pages, open it with READ and map it PRIVATE"
              : "";
      default -> "";
    };
  }

  @Override
  public long size() {
    return size;
  }
}
