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
 * A regular file of the host that is open or mapped. There is one of each file, held by a handle:
 * it is read, mapped and asked for its status through that, so that its name, which others may give
 * to something else, is resolved once.
 */
final class HeldFile implements RegularFile.Source, AutoCloseable {
  private final PathHandle handle;
  private final FileChannel channel;
  private final Runnable whenUnused;

  /** Open files, and address maps that it is mapped in. */
  private int uses;

  private HeldFile(PathHandle handle, FileChannel channel, Runnable whenUnused) {
    this.handle = handle;
    this.channel = channel;
    this.whenUnused = whenUnused;
  }

  /**
   * A handle of what has a path now, if that is the file of a key, whatever type it has.
   *
   * @throws NoSuchFileException if something else is there
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
   * Opens a file; nobody uses it so far.
   *
   * @param key of the file that the path was found to lead to
   * @param whenUnused is run when nobody uses it any more, before it is closed
   * @throws NoSuchFileException if something else is there by now
   */
  static HeldFile open(Path path, Object key, Runnable whenUnused) throws IOException {
    PathHandle handle = handle(path, key);
    try {
      return new HeldFile(handle, handle.open(), whenUnused);
    } catch (SystemCallException e) {
      handle.close();
      throw new ErrnoException(Errno.of(e.errno()));
    } catch (IOException | RuntimeException e) {
      handle.close();
      throw e;
    }
  }

  void use() {
    uses++;
  }

  private void leave() {
    if (--uses == 0) {
      whenUnused.run();
      close();
    }
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

  @Override
  public void closed() {
    leave();
  }

  /**
   * What is behind mappings of it.
   *
   * @param name as in /proc/PID/maps
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
        throw new ErrnoException(Errno.of(e.errno()));
      }
    }

    @Override
    public void mapped(AddressMap map) {
      file.use();
    }

    @Override
    public void unmapped(AddressMap map) {
      file.leave();
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

  /** Closes it, whoever uses it. Idempotent. */
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
