package dev.stubpool.kernel.file;

import java.nio.ByteBuffer;
import java.security.SecureRandom;

/** The devices that guests have, null(4) and random(4): by name in /dev. */
public enum Device {
  NULL("null", 3) {
    @Override
    int read(ByteBuffer to) {
      return 0;
    }
  },
  ZERO("zero", 5) {
    @Override
    int read(ByteBuffer to) {
      int size = to.remaining();
      to.put(new byte[size]);
      return size;
    }
  },
  URANDOM("urandom", 9) {
    @Override
    int read(ByteBuffer to) {
      byte[] bytes = new byte[to.remaining()];
      RANDOM.nextBytes(bytes);
      to.put(bytes);
      return bytes.length;
    }
  };

  private static final SecureRandom RANDOM = new SecureRandom();

  /** Of memory devices. */
  private static final int MAJOR = 1;

  private static final int ANYBODY = 0666;

  private final String fileName;
  private final int minor;

  Device(String fileName, int minor) {
    this.fileName = fileName;
    this.minor = minor;
  }

  abstract int read(ByteBuffer to);

  /** Its name in /dev. */
  public String fileName() {
    return fileName;
  }

  /** stat(2). */
  public FileStatus status() {
    return FileStatus.made(FileStatus.S_IFCHR | ANYBODY, minor, (MAJOR << 8) | minor);
  }
}
