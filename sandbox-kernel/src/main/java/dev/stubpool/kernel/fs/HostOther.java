package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import java.nio.file.Path;
import java.util.Map;

/** A socket, device or FIFO of the host, of which guests may only get the status. */
final class HostOther extends HostNode implements Node.Closed {
  private static final int S_IFSOCK = 0140000;

  HostOther(
      HostTree tree,
      HostDirectory above,
      Path path,
      Map<String, Object> attributes,
      boolean trusted) {
    super(tree, above, path, attributes, trusted);
  }

  @Override
  public Errno refusal() {
    return status().type() == S_IFSOCK ? Errno.ENXIO : Errno.EACCES;
  }
}
