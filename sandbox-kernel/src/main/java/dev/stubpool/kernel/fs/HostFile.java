package dev.stubpool.kernel.fs;

import dev.stubpool.Mappable;
import dev.stubpool.StubPool;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.RegularFile;
import dev.stubpool.kernel.memory.Backing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A regular file of the host. */
final class HostFile extends HostNode implements Node.File {
  HostFile(
      HostTree tree,
      HostDirectory above,
      Path path,
      Map<String, Object> attributes,
      boolean trusted) {
    super(tree, above, path, attributes, trusted);
  }

  @Override
  public OpenFile open(Location here, int flags) {
    if (!isTrusted() && !tree().mayNobody(status(), Access.R_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
    try {
      return new RegularFile(
          flags,
          tree().directories().open(above(), path().getFileName(), key()),
          this::status,
          new Mapping(this, key(), here.path()));
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  /** Throws unless it is still where it was found. */
  private void check() {
    try {
      if (key().equals(tree().directories().key(above(), path().getFileName()))) {
        return;
      }
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
    throw new ErrnoException(Errno.ENOENT);
  }

  /** What is behind mappings of it. */
  private record Mapping(HostFile file, Object key, String name) implements Backing {
    @Override
    public Mappable open(StubPool pool) {
      try {
        Mappable opened = pool.mappable(file.path());
        try {
          file.check(); // for the pool follows links, if somebody put one there
          return opened;
        } catch (ErrnoException e) {
          opened.close();
          throw e;
        }
      } catch (SystemCallException e) {
        throw new ErrnoException(Errno.of(e.errno()));
      }
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Mapping mapping && key.equals(mapping.key);
    }

    @Override
    public int hashCode() {
      return key.hashCode();
    }
  }
}
