package dev.stubpool.memory;

import dev.stubpool.PathHandle;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;

/** The implementation of {@link PathHandle}: a descriptor, and its path in /proc/self/fd. */
public final class OpenPathHandle implements PathHandle {
  private final int fd;
  private final Path path;
  private final AtomicBoolean closed = new AtomicBoolean();

  private OpenPathHandle(int fd) {
    this.fd = fd;
    this.path = HostPaths.ofDescriptor(fd);
  }

  /** See {@link PathHandle#of}. */
  public static OpenPathHandle of(Path path) {
    HostPaths.check(path);
    long fd = HostPaths.open(path, Abi.O_PATH | Abi.O_NOFOLLOW);
    return new OpenPathHandle((int) Failures.check(fd, "openat", "making a handle of " + path));
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
      return FileChannel.open(HostPaths.ofDescriptor(opened), StandardOpenOption.READ);
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
