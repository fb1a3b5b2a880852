package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A directory of the host. */
final class HostDirectory extends HostNode implements Node.Directory {
  HostDirectory(
      HostTree tree,
      HostDirectory above,
      Path path,
      Map<String, Object> attributes,
      boolean trusted) {
    super(tree, above, path, attributes, trusted);
  }

  /** Whether it was found in a directory. */
  boolean isIn(HostDirectory directory) {
    return above() != null
        && above().key().equals(directory.key())
        && isTrusted() == directory.isTrusted();
  }

  @Override
  public Optional<Location> child(Location here, String name) {
    if (!isTrusted() && !tree().mayNobody(status(), Access.X_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
    return tree().child(this, name).map(node -> new Location(here, name, node));
  }

  @Override
  public List<String> names() {
    if (!isTrusted() && !tree().mayNobody(status(), Access.R_OK)) {
      throw new ErrnoException(Errno.EACCES);
    }
    try {
      return tree().directories().names(this).stream()
          .filter(name -> HostNames.in(path(), name).filter(tree()::isHidden).isEmpty())
          .toList();
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }
}
