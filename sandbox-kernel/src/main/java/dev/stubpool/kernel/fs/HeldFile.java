package dev.stubpool.kernel.fs;

import dev.stubpool.Mappable;
import dev.stubpool.PathHandle;
import dev.stubpool.StubPool;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.RegularFile;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.Backing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A regular host file that is open or mapped; there is one instance for each file. It is read,
 * mapped and queried through a handle, so that its name, which may be replaced on the host, is
 * resolved only once.
 */
final class HeldFile implements RegularFile.Source, AutoCloseable {
  private final PathHandle handle;
  private final FileChannel channel;
  private final Runnable whenUnused;

  /** The number of open files and address maps that use it. */
  private int uses;

  private HeldFile(PathHandle handle, FileChannel channel, Runnable whenUnused) {
    this.handle = handle;
    this.channel = channel;
    this.whenUnused = whenUnused;
  }

  /**
   * Opens a handle to the file at a path, if that is the file with a key; of any type.
   *
   * @throws NoSuchFileException if another file is there
   */
  static PathHandle handle(Path path, Object key) throws IOException {
    PathHandle handle;
    try {
      handle = PathHandle.of(path);
    } catch (SystemCallException e) {
      Errno errno = Errno.of(e.errno());
      if (errno == Errno.ENOENT || errno == Errno.ENOTDIR) {
        throw new NoSuchFileException(path.toString());
      }
      throw new ErrnoException(errno);
    }
    try {
      if (!key.equals(Files.readAttributes(handle.path(), "unix:fileKey").get("fileKey"))) {
        throw new NoSuchFileException(path.toString());
      }
      return handle;
    } catch (IOException | RuntimeException e) {
      handle.close();
      throw e;
    }
  }

  /**
   * Opens a file, with no users yet.
   *
   * @param key the key of the file that was found at the path
   * @param whenUnused is run when the last user is gone, before it is closed
   * @throws NoSuchFileException if another file is there now
   */
  static HeldFile open(Path path, Object key, Runnable whenUnused) throws IOException {
    PathHandle handle = handle(path, key);
    try {
      return new HeldFile(handle, handle.open(), whenUnused);
    } catch (SystemCallException e) {
      handle.close();
      throw ErrnoException.of(e);
    } catch (IOException | RuntimeException e) {
      handle.close();
      throw e;
    }
  }

  void use() {
    uses++;
  }

  @Override
  public FileChannel channel() {
    return channel;
  }

  @Override
  public FileStatus status() {
    try {
      return FileStatus.of(handle.path());
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  /** Ends one use. */
  @Override
  public void closed() {
    if (--uses == 0) {
      whenUnused.run();
      close();
    }
  }

  /**
   * Its backing for mappings.
   *
   * @param name the name in /proc/PID/maps
   */
  Backing backing(String name) {
    return new Mapping(this, name);
  }

  private record Mapping(HeldFile file, String name) implements Backing {
    @Override
    public Mappable open(StubPool pool) {
      try {
        return pool.mappable(file.handle.path());
      } catch (SystemCallException e) {
        throw ErrnoException.of(e);
      }
    }

    @Override
    public void mapped(AddressMap map) {
      file.use();
    }

    @Override
    public void unmapped(AddressMap map) {
      file.closed();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Mapping mapping && file == mapping.file;
    }

    @Override
    public int hashCode() {
      return file.hashCode();
    }
  }

  /** Closes it even if it is used. Idempotent. */
  @Override
  public void close() {
    handle.close();
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
