package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.RegularFile;
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

  /**
   * {@inheritDoc}
   *
   * @throws ErrnoException EAGAIN while a host process has to release a lease on it, fcntl(2)
   */
  @Override
  public OpenFile open(Location here, int flags) {
    if (!isTrusted() && !tree().mayNobody(status(), Access.R_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
    try {
      HeldFile held = tree().use(this);
      return new RegularFile(flags, held, held.backing(here.path()));
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }
}
