package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;

/** The devices in a guest's /dev: null(4), full(4), random(4) and others. */
public enum Device {
  NULL("null", 1, 3) {
    @Override
    int read(ByteBuffer to) {
      return 0;
    }
  },
  ZERO("zero", 1, 5) {
    @Override
    int read(ByteBuffer to) {
      return zeros(to);
    }
  },
  FULL("full", 1, 7) {
    @Override
    int read(ByteBuffer to) {
      return zeros(to);
    }

    @Override
    int write(ByteBuffer from) {
      throw new ErrnoException(Errno.ENOSPC);
    }
  },
  RANDOM("random", 1, 8) {
    @Override
    int read(ByteBuffer to) {
      return random(to);
    }
  },
  URANDOM("urandom", 1, 9) {
    @Override
    int read(ByteBuffer to) {
      return random(to);
    }
  },
  /** The controlling terminal; a guest has none. */
  TTY("tty", 5, 0) {
    @Override
    int read(ByteBuffer to) {
      throw new ErrnoException(Errno.EIO);
    }

    @Override
    boolean isThere() {
      return false;
    }
  };

  private static final SecureRandom BYTES = new SecureRandom();
  private static final int ANYBODY = 0666;

  /** The first inode number of devices, above those of other synthetic files. */
  private static final long FIRST_INODE = 1 << 20;

  private final String fileName;
  private final int major;
  private final int minor;

  Device(String fileName, int major, int minor) {
    this.fileName = fileName;
    this.major = major;
    this.minor = minor;
  }

  abstract int read(ByteBuffer to);

  /** Discards all data. */
  int write(ByteBuffer from) {
    int size = from.remaining();
    from.position(from.limit());
    return size;
  }

  /** Whether it can be opened. */
  boolean isThere() {
    return true;
  }

  private static int zeros(ByteBuffer to) {
    int size = to.remaining();
    to.put(new byte[size]);
    return size;
  }

  private static int random(ByteBuffer to) {
    byte[] bytes = new byte[to.remaining()];
    BYTES.nextBytes(bytes);
    to.put(bytes);
    return bytes.length;
  }

  /** Its name in /dev. */
  public String fileName() {
    return fileName;
  }

  /** stat(2). */
  public FileStatus status() {
    int number = (major << 8) | minor;
    return FileStatus.made(FileStatus.S_IFCHR | ANYBODY, FIRST_INODE | number, number);
  }
}
