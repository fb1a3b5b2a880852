package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.util.Map;

/** A symbolic link of the host. */
final class HostLink extends HostNode implements Node.Link {
  HostLink(
      HostTree tree,
      HostDirectory above,
      Path path,
      Map<String, Object> attributes,
      boolean trusted) {
    super(tree, above, path, attributes, trusted);
  }

  @Override
  public String target() {
    try {
      Path here = tree().here(this);
      String target = HostNames.text(Files.readSymbolicLink(here));
      if (key().equals(HostTree.attributes(here).get("fileKey"))) {
        return target;
      }
    } catch (NotLinkException _) {
      throw new ErrnoException(Errno.ENOENT);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
    throw new ErrnoException(Errno.ENOENT);
  }
}
