package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.abi.Timespec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;

/**
 * The status of a file, stat(2): {@code struct stat} of x86-64 and {@code struct statx}.
 *
 * @param blocks the allocated blocks of 512 bytes
 */
public record FileStatus(
    long device,
    long inode,
    long links,
    int mode,
    int uid,
    int gid,
    long specialDevice,
    long size,
    long blocks,
    Instant accessed,
    Instant modified,
    Instant changed) {

  public static final int S_IFMT = 0170000;
  public static final int S_IFIFO = 0010000;
  public static final int S_IFCHR = 0020000;
  public static final int S_IFDIR = 0040000;
  public static final int S_IFREG = 0100000;
  public static final int S_IFLNK = 0120000;
  public static final int S_ISUID = 04000;
  public static final int S_ISGID = 02000;
  public static final int S_ISVTX = 01000;

  /** The bits of the mode other than the type. */
  public static final int PERMISSIONS = 07777;

  /** Bytes of a {@code struct stat}. */
  public static final int SIZE = 144;

  /** The unit of {@link #blocks} in bytes. */
  public static final int SECTOR = 512;

  private static final int STATX_SIZE = 256;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int BLOCK_SIZE = 4096; // Java cannot query the host's
  private static final int ANY_EXECUTE = 0111;

  /** The attributes that {@link #of(Map)} needs from {@link Files#readAttributes}. */
  public static final String ATTRIBUTES =
      "unix:dev,ino,nlink,mode,uid,gid,rdev,size,lastAccessTime,lastModifiedTime,ctime";

  /** The status of a synthetic file. */
  public static FileStatus made(int mode, long inode, long specialDevice) {
    return new FileStatus(
        0, inode, 1, mode, 0, 0, specialDevice, 0, 0, Instant.EPOCH, Instant.EPOCH, Instant.EPOCH);
  }

  /** The status of a file of the host. */
  public static FileStatus of(Path path, LinkOption... options) throws IOException {
    return of(Files.readAttributes(path, ATTRIBUTES, options));
  }

  /** The status of a host file with given attributes. */
  public static FileStatus of(Map<String, Object> values) {
    long size = (Long) values.get("size");
    return new FileStatus(
        (Long) values.get("dev"),
        (Long) values.get("ino"),
        (Integer) values.get("nlink"),
        (Integer) values.get("mode"),
        (Integer) values.get("uid"),
        (Integer) values.get("gid"),
        (Long) values.get("rdev"),
        size,
        Math.ceilDiv(size, SECTOR),
        ((FileTime) values.get("lastAccessTime")).toInstant(),
        ((FileTime) values.get("lastModifiedTime")).toInstant(),
        ((FileTime) values.get("ctime")).toInstant());
  }

  /** The type, S_IF*. */
  public int type() {
    return mode & S_IFMT;
  }

  /**
   * Whether its permissions allow an access, path_resolution(7), without supplementary groups and
   * access control lists.
   *
   * @param access R_OK, W_OK and X_OK
   */
  public boolean allows(Identity who, int access) {
    if (who.uid() == 0) {
      return !Bits.any(access, Access.X_OK) || type() == S_IFDIR || Bits.any(mode, ANY_EXECUTE);
    }
    int allowed = who.uid() == uid ? mode >> 6 : who.gid() == gid ? mode >> 3 : mode;
    return (access & ~allowed) == 0;
  }

  /** The {@code struct stat}. */
  public byte[] bytes() {
    ByteBuffer stat = Struct.allocate(SIZE);
    stat.putLong(device).putLong(inode).putLong(links);
    stat.putInt(mode).putInt(uid).putInt(gid).putInt(0);
    stat.putLong(specialDevice).putLong(size);
    stat.putLong(BLOCK_SIZE).putLong(blocks);
    for (Instant time : new Instant[] {accessed, modified, changed}) {
      stat.put(Timespec.bytes(time.getEpochSecond(), time.getNano()));
    }
    return Struct.bytes(stat);
  }

  /** The {@code struct statx}, statx(2). */
  public byte[] extendedBytes() {
    ByteBuffer statx = Struct.allocate(STATX_SIZE);
    statx.putInt(STATX_BASIC_STATS).putInt(BLOCK_SIZE).putLong(0);
    statx.putInt((int) links).putInt(uid).putInt(gid).putShort((short) mode).putShort((short) 0);
    statx.putLong(inode).putLong(size).putLong(blocks).putLong(0);
    for (Instant time : new Instant[] {accessed, Instant.EPOCH, changed, modified}) {
      statx.putLong(time.getEpochSecond()).putInt(time.getNano()).putInt(0);
    }
    for (long number : new long[] {specialDevice, device}) {
      statx.putInt(major(number)).putInt(minor(number));
    }
    return Struct.bytes(statx);
  }

  /** The major number of a device, makedev(3). */
  public static int major(long device) {
    return (int) ((device >> 8 & 0xfff) | (device >> 32 & ~0xfff));
  }

  /** The minor number of a device. */
  public static int minor(long device) {
    return (int) ((device & 0xff) | (device >> 12 & ~0xff));
  }
}
