package dev.stubpool.kernel.file;

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

/** What stat(2) tells, and {@code struct stat} of x86-64. */
public record FileStatus(
    long device,
    long inode,
    long links,
    int mode,
    int uid,
    int gid,
    long specialDevice,
    long size,
    Instant accessed,
    Instant modified,
    Instant changed) {

  public static final int S_IFMT = 0170000;
  public static final int S_IFCHR = 0020000;
  public static final int S_IFDIR = 0040000;
  public static final int S_IFREG = 0100000;
  public static final int S_IFLNK = 0120000;

  /** Bytes of a {@code struct stat}. */
  public static final int SIZE = 144;

  private static final int BLOCK_SIZE = 4096; // the host's is not to be had from Java
  private static final int SECTOR = 512;
  private static final String ATTRIBUTES =
      "unix:dev,ino,nlink,mode,uid,gid,rdev,size,lastAccessTime,lastModifiedTime,ctime";

  /** The status of something that the kernel made up. */
  public static FileStatus made(int mode, long inode, long specialDevice) {
    return new FileStatus(
        0, inode, 1, mode, 0, 0, specialDevice, 0, Instant.EPOCH, Instant.EPOCH, Instant.EPOCH);
  }

  /** The status of a file of the host. */
  public static FileStatus of(Path path, LinkOption... options) throws IOException {
    Map<String, Object> values = Files.readAttributes(path, ATTRIBUTES, options);
    return new FileStatus(
        (Long) values.get("dev"),
        (Long) values.get("ino"),
        (Integer) values.get("nlink"),
        (Integer) values.get("mode"),
        (Integer) values.get("uid"),
        (Integer) values.get("gid"),
        (Long) values.get("rdev"),
        (Long) values.get("size"),
        ((FileTime) values.get("lastAccessTime")).toInstant(),
        ((FileTime) values.get("lastModifiedTime")).toInstant(),
        ((FileTime) values.get("ctime")).toInstant());
  }

  /** S_IFREG and so on. */
  public int type() {
    return mode & S_IFMT;
  }

  /** The {@code struct stat}. */
  public byte[] bytes() {
    ByteBuffer stat = Struct.allocate(SIZE);
    stat.putLong(device).putLong(inode).putLong(links);
    stat.putInt(mode).putInt(uid).putInt(gid).putInt(0);
    stat.putLong(specialDevice).putLong(size);
    stat.putLong(BLOCK_SIZE).putLong(Math.ceilDiv(size, SECTOR));
    for (Instant time : new Instant[] {accessed, modified, changed}) {
      stat.put(Timespec.bytes(time.getEpochSecond(), time.getNano()));
    }
    return Struct.bytes(stat);
  }
}
