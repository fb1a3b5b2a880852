package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import java.nio.ByteBuffer;

/** An open device. */
public final class DeviceFile extends OpenFile {
  private final Device device;

  /** Opens it. */
  public DeviceFile(String path, int flags, Device device) {
    super(path, flags);
    this.device = device;
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

  /** Takes all there is and forgets it. */
  @Override
  public int write(ByteBuffer from) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    int size = from.remaining();
    from.position(from.limit());
    return size;
  }

  @Override
  public long position() {
    return 0;
  }

  @Override
  public void position(long to) {
    // These devices have none, and say nothing.
  }
}
