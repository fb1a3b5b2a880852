package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.FileCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** A file of the host that stubs can map. */
public final class HostFile extends Mappable {
  private final long size;

  private HostFile(Path path, int fd, long size) {
    super(path.toString(), fd);
    this.size = size;
  }

  static HostFile open(Path path, OpenOption... options) {
    Set<OpenOption> wanted = Set.of(options);
    for (OpenOption option : wanted) {
      if (option != StandardOpenOption.READ && option != StandardOpenOption.WRITE) {
        throw new IllegalArgumentException(
            option + " makes no sense for a mapping; use READ, or READ and WRITE");
      }
    }
    // A mapping that can be written must be of a descriptor that can be read: mmap(2), EACCES.
    int access = wanted.contains(StandardOpenOption.WRITE) ? Abi.O_RDWR : Abi.O_RDONLY;
    int fd =
        (int)
            SystemCallException.check(
                FileCalls.open(path.toAbsolutePath().toString(), access, 0),
                "openat",
                "opening " + path + " to map it");
    try {
      return new HostFile(path, fd, Files.size(path));
    } catch (IOException e) {
      FileCalls.close(fd);
      throw new UncheckedIOException(e);
    }
  }

  /** Size in bytes when it was opened. */
  @Override
  public long size() {
    return size;
  }
}
