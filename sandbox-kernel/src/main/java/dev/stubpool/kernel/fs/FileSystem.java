package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/**
 * A file system, as reported by statfs(2).
 *
 * @param magic its type
 * @param name the name of the type in /proc/mounts
 * @param readOnly whether changes fail with EROFS
 * @param size its size in bytes
 * @param free its free bytes
 */
public record FileSystem(long magic, String name, boolean readOnly, long size, long free) {
  private static final int SIZE = 120;
  private static final long BLOCK_SIZE = 4096;
  private static final long NAME_MAX = 255;
  private static final long ST_RDONLY = 1;
  private static final long ST_VALID = 0x20;
  private static final long BYTES_OF_A_FILE = 1 << 14;

  /** The host's files. */
  static final FileSystem HOST = new FileSystem(0xef53, "rootfs", true, 0, 0);

  /** proc(5). */
  static final FileSystem PROC = new FileSystem(0x9fa0, "proc", true, 0, 0);

  /** /dev and other synthetic files. */
  static final FileSystem DEVICES = new FileSystem(0x0102_1994, "devtmpfs", true, 0, 0);

  /** Unnamed files: pipes, and the JVM's inherited streams. */
  static final FileSystem PIPES = new FileSystem(0x5049_5045, "pipefs", false, 0, 0);

  /** A file system in memory. */
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
