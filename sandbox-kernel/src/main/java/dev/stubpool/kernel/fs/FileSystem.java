package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/**
 * What statfs(2) tells.
 *
 * @param magic which kind it is
 * @param name of the kind, as in /proc/mounts
 * @param readOnly whether changes fail with EROFS
 * @param size of all of it, in bytes
 * @param free bytes of it
 */
public record FileSystem(long magic, String name, boolean readOnly, long size, long free) {
  private static final int SIZE = 120;
  private static final long BLOCK_SIZE = 4096;
  private static final long NAME_MAX = 255;
  private static final long ST_RDONLY = 1;
  private static final long ST_VALID = 0x20;
  private static final long BYTES_OF_A_FILE = 1 << 14;

  /** Of the host. */
  static final FileSystem HOST = new FileSystem(0xef53, "rootfs", true, 0, 0);

  /** proc(5). */
  static final FileSystem PROC = new FileSystem(0x9fa0, "proc", true, 0, 0);

  /** /dev and what else the kernel makes up. */
  static final FileSystem DEVICES = new FileSystem(0x0102_1994, "devtmpfs", true, 0, 0);

  /** What has no name: pipes, and what this JVM has open. */
  static final FileSystem PIPES = new FileSystem(0x5049_5045, "pipefs", false, 0, 0);

  /** In memory. */
  static FileSystem memory(long size, long free) {
    return new FileSystem(0x0102_1994, "tmpfs", false, size, free);
  }

  /** The {@code struct statfs}. */
  public byte[] bytes() {
    ByteBuffer statfs = Struct.allocate(SIZE);
    statfs.putLong(magic).putLong(BLOCK_SIZE);
    statfs.putLong(size / BLOCK_SIZE).putLong(free / BLOCK_SIZE).putLong(free / BLOCK_SIZE);
    statfs.putLong(size / BYTES_OF_A_FILE).putLong(free / BYTES_OF_A_FILE).putLong(0);
    statfs.putLong(NAME_MAX).putLong(BLOCK_SIZE).putLong(ST_VALID | (readOnly ? ST_RDONLY : 0));
    return Struct.bytes(statfs);
  }
}
