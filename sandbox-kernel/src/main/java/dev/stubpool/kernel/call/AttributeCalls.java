package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.fs.AttributeChanges;
import dev.stubpool.kernel.fs.FileTimes;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.process.Task;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;

/** System calls that change attributes of files, including their sizes. */
final class AttributeCalls {
  private static final int UTIME_NOW = 0x3fff_ffff;
  private static final int UTIME_OMIT = 0x3fff_fffe;
  private static final int NANOS = 1_000_000_000;
  private static final int NANOS_IN_MICRO = 1000;

  /** The limit for times in seconds, within the range of Instant. */
  private static final long LAST_SECOND = 1L << 40;

  private static final int WITHOUT_FOLLOWING = Paths.AT_SYMLINK_NOFOLLOW | Paths.AT_EMPTY_PATH;
  private static final int LAST_ADVICE = 5;

  private AttributeCalls() {}

  // ---- permissions and owners ----

  /** chmod(2). */
  static long chmod(Task task, Arguments arguments) {
    Location at = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    return chmod(task, at, arguments.integer(1));
  }

  /** fchmod, chmod(2). */
  static long fchmod(Task task, Arguments arguments) {
    return chmod(task, Paths.atOpened(task, arguments.integer(0)), arguments.integer(1));
  }

  /** fchmodat, chmod(2), which has no flags. */
  static long fchmodat(Task task, Arguments arguments) {
    Location at = Paths.find(task, arguments.integer(0), arguments.string(1));
    return chmod(task, at, arguments.integer(2));
  }

  /** fchmodat2, chmod(2). */
  static long fchmodat2(Task task, Arguments arguments) {
    int flags = arguments.integer(3);
    Paths.checkFlags(flags, WITHOUT_FOLLOWING);
    Location at = Paths.find(task, arguments.integer(0), arguments.string(1), flags);
    return chmod(task, at, arguments.integer(2));
  }

  private static long chmod(Task task, Location at, int mode) {
    AttributeChanges.chmod(at.node(), mode, task.process().identity());
    return 0;
  }

  /** chown(2). */
  static long chown(Task task, Arguments arguments) {
    Location at = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    return chown(task, at, arguments.integer(1), arguments.integer(2));
  }

  /** lchown, chown(2). */
  static long lchown(Task task, Arguments arguments) {
    Location at = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0), false);
    return chown(task, at, arguments.integer(1), arguments.integer(2));
  }

  /** fchown, chown(2). */
  static long fchown(Task task, Arguments arguments) {
    Location at = Paths.atOpened(task, arguments.integer(0));
    return chown(task, at, arguments.integer(1), arguments.integer(2));
  }

  /** fchownat, chown(2). */
  static long fchownat(Task task, Arguments arguments) {
    int flags = arguments.integer(4);
    Paths.checkFlags(flags, WITHOUT_FOLLOWING);
    Location at = Paths.find(task, arguments.integer(0), arguments.string(1), flags);
    return chown(task, at, arguments.integer(2), arguments.integer(3));
  }

  private static long chown(Task task, Location at, int uid, int gid) {
    AttributeChanges.chown(at.node(), uid, gid, task.process().identity());
    return 0;
  }

  // ---- times ----

  /** utime(2). */
  static long utime(Task task, Arguments arguments) {
    FileTimes times = FileTimes.now();
    if (arguments.word(1) != 0) {
      ByteBuffer buffer = task.memory().readStructure(arguments.word(1), 2 * Long.BYTES);
      times =
          new FileTimes(
              Optional.of(instant(buffer.getLong(), 0)),
              Optional.of(instant(buffer.getLong(), 0)),
              false);
    }
    Location at = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    return change(task, at, times);
  }

  /** utimes, utime(2). */
  static long utimes(Task task, Arguments arguments) {
    FileTimes times = timevals(task, arguments.word(1));
    Location at = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    return change(task, at, times);
  }

  /** futimesat(2). */
  static long futimesat(Task task, Arguments arguments) {
    FileTimes times = timevals(task, arguments.word(2));
    return change(task, named(task, arguments, 0), times);
  }

  /** utimensat(2). */
  static long utimensat(Task task, Arguments arguments) {
    int flags = arguments.integer(3);
    Paths.checkFlags(flags, WITHOUT_FOLLOWING);
    FileTimes times = timespecs(task, arguments.word(2));
    if (times.accessed().isEmpty() && times.modified().isEmpty()) {
      return 0;
    }
    return change(task, named(task, arguments, flags), times);
  }

  /** The file given by a descriptor and a path, or by the descriptor alone if the path is null. */
  private static Location named(Task task, Arguments arguments, int flags) {
    if (arguments.word(1) != 0) {
      return Paths.find(task, arguments.integer(0), arguments.string(1), flags);
    }
    if (arguments.integer(0) == Arguments.AT_FDCWD) {
      throw new ErrnoException(Errno.EFAULT);
    }
    Paths.checkFlags(flags, 0);
    return Paths.atOpened(task, arguments.integer(0));
  }

  private static long change(Task task, Location at, FileTimes times) {
    AttributeChanges.times(at.node(), times, task.process().identity());
    return 0;
  }

  private static FileTimes timevals(Task task, long address) {
    if (address == 0) {
      return FileTimes.now();
    }
    ByteBuffer buffer = task.memory().readStructure(address, 2 * Timespec.SIZE);
    return new FileTimes(Optional.of(timeval(buffer)), Optional.of(timeval(buffer)), false);
  }

  private static Instant timeval(ByteBuffer from) {
    long seconds = from.getLong();
    long micros = from.getLong();
    if (micros < 0 || micros >= NANOS / NANOS_IN_MICRO) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return instant(seconds, micros * NANOS_IN_MICRO);
  }

  private static FileTimes timespecs(Task task, long address) {
    if (address == 0) {
      return FileTimes.now();
    }
    ByteBuffer buffer = task.memory().readStructure(address, 2 * Timespec.SIZE);
    boolean areNow =
        buffer.getLong(Long.BYTES) == UTIME_NOW
            && buffer.getLong(Timespec.SIZE + Long.BYTES) == UTIME_NOW;
    return new FileTimes(timespec(buffer), timespec(buffer), areNow);
  }

  private static Optional<Instant> timespec(ByteBuffer from) {
    long seconds = from.getLong();
    long nanos = from.getLong();
    if (nanos == UTIME_OMIT) {
      return Optional.empty();
    }
    if (nanos == UTIME_NOW) {
      return Optional.of(Instant.now());
    }
    if (nanos < 0 || nanos >= NANOS) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return Optional.of(instant(seconds, nanos));
  }

  private static Instant instant(long seconds, long nanos) {
    return Instant.ofEpochSecond(Math.clamp(seconds, -LAST_SECOND, LAST_SECOND), nanos);
  }

  // ---- sizes ----

  /** truncate(2). */
  static long truncate(Task task, Arguments arguments) {
    checkSize(arguments.word(1));
    Location at = Paths.find(task, Arguments.AT_FDCWD, arguments.string(0));
    AttributeChanges.truncate(at.node(), arguments.word(1), task.process().identity());
    return 0;
  }

  /** ftruncate, truncate(2). */
  static long ftruncate(Task task, Arguments arguments) {
    checkSize(arguments.word(1));
    Descriptors.opened(task, arguments.integer(0)).truncate(arguments.word(1));
    return 0;
  }

  private static void checkSize(long size) {
    if (size < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
  }

  /** fallocate(2), without any mode. */
  static long fallocate(Task task, Arguments arguments) {
    OpenFile file = Descriptors.opened(task, arguments.integer(0));
    long offset = arguments.word(2);
    long size = arguments.word(3);
    if (offset < 0 || size <= 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    if (arguments.integer(1) != 0) {
      throw new ErrnoException(Errno.EOPNOTSUPP);
    }
    if (!OpenFlags.writes(file.flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    if (isPipe(file)) {
      throw new ErrnoException(Errno.ESPIPE);
    }
    file.allocate(offset, size);
    return 0;
  }

  private static boolean isPipe(OpenFile file) {
    return file.status().type() == FileStatus.S_IFIFO;
  }

  // ---- write-back, which has no effect ----

  /** sync(2). */
  static long sync(Task task, Arguments arguments) {
    return 0;
  }

  /** fsync(2) and fdatasync. */
  static long fsync(Task task, Arguments arguments) {
    if (isPipe(Descriptors.opened(task, arguments.integer(0)))) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }

  /** syncfs, sync(2). */
  static long syncfs(Task task, Arguments arguments) {
    OpenFile _ = Descriptors.opened(task, arguments.integer(0));
    return 0;
  }

  /** fadvise64, posix_fadvise(2): all advice is ignored. */
  static long fadvise(Task task, Arguments arguments) {
    if (isPipe(Descriptors.opened(task, arguments.integer(0)))) {
      throw new ErrnoException(Errno.ESPIPE);
    }
    if (arguments.word(2) < 0 || arguments.integer(3) < 0 || arguments.integer(3) > LAST_ADVICE) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }

  /** readahead(2). */
  static long readahead(Task task, Arguments arguments) {
    OpenFile file = Descriptors.opened(task, arguments.integer(0));
    if (!OpenFlags.reads(file.flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    if (file.status().type() != FileStatus.S_IFREG) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return 0;
  }
}
