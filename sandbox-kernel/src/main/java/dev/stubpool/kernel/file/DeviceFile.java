package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import java.nio.ByteBuffer;

/** An open device. */
public final class DeviceFile extends OpenFile {
  private final Device device;

  /**
   * Opens a device.
   *
   * @param path its path in the guest
   * @throws ErrnoException ENXIO if it does not exist
   */
  public DeviceFile(String path, int flags, Device device) {
    super(path, flags);
    this.device = device;
    if (!device.isThere()) {
      throw new ErrnoException(Errno.ENXIO);
    }
  }

  @Override
  public FileStatus status() {
    return device.status();
  }

  @Override
  public int read(ByteBuffer to) {
    if (!OpenFlags.reads(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    return device.read(to);
  }

  @Override
  public int read(ByteBuffer to, long position) {
    return read(to);
  }

  @Override
  public int write(ByteBuffer from) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    return device.write(from);
  }

  @Override
  public int write(ByteBuffer from, long position) {
    return write(from);
  }

  @Override
  public boolean isSeekable() {
    return true;
  }

  @Override
  public long position() {
    return 0;
  }

  @Override
  public void position(long to) {
    // These devices have no position, and report no error.
  }
}
