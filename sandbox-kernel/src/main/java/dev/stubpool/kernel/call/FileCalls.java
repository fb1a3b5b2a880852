package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.file.OpenDirectory;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.process.Task;
import java.nio.ByteBuffer;

/** System calls on open files that move no data. */
final class FileCalls {
  private static final int SEEK_SET = 0;
  private static final int SEEK_CUR = 1;
  private static final int SEEK_END = 2;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int TCGETS = 0x5401;
  private static final int TIOCGWINSZ = 0x5413;
  private static final int FIONREAD = 0x541b;
  private static final int FIONBIO = 0x5421;
  private static final int FIONCLEX = 0x5450;
  private static final int FIOCLEX = 0x5451;

  /** Bytes of the kernel's {@code struct termios}: flags of four kinds, line, 19 characters. */
  private static final int TERMIOS_SIZE = 36;

  /**
   * The {@code struct winsize} of a terminal: rows, columns, and 0 pixels. Java cannot query the
   * real size.
   */
  private static final short[] WINDOW = {24, 80, 0, 0};

  private static final int LARGEST_DIRECTORY_READ = 1 << 16;

  // Offsets at which struct linux_dirent64 and struct linux_dirent, of equal size, differ.
  private static final int RECORD_SIZE_AT = 16;
  private static final int TYPE_AT = 18;

  private FileCalls() {}

  /** lseek(2). */
  static long lseek(Task task, Arguments arguments) {
    OpenFile file = Descriptors.opened(task, arguments.integer(0));
    long offset = arguments.word(1);
    int whence = arguments.integer(2);
    if (whence < SEEK_SET || whence > SEEK_HOLE) {
      throw new ErrnoException(Errno.EINVAL);
    }
    long from = file.position();
    long to =
        switch (whence) {
          case SEEK_CUR -> from + offset;
          case SEEK_END -> file.status().size() + offset;
          case SEEK_DATA -> data(file, offset);
          case SEEK_HOLE -> Math.max(data(file, offset), file.status().size());
          default -> offset;
        };
    if (to < 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    file.position(to);
    return file.position();
  }

  /**
   * The offset for SEEK_DATA and SEEK_HOLE, which must be within the file. Files count as all data.
   */
  private static long data(OpenFile file, long offset) {
    if (offset < 0 || offset >= file.status().size()) {
      throw new ErrnoException(Errno.ENXIO);
    }
    return offset;
  }

  // ---- directories ----

  /** getdents64, getdents(2). */
  static long getdents64(Task task, Arguments arguments) {
    byte[] entries = entries(task, arguments);
    task.memory().write(arguments.word(1), entries);
    return entries.length;
  }

  /** getdents(2): the type is at the end of a record, not before the name. */
  static long getdents(Task task, Arguments arguments) {
    byte[] entries = entries(task, arguments);
    ByteBuffer buffer = Struct.view(entries);
    for (int at = 0; at < entries.length; ) {
      int size = buffer.getShort(at + RECORD_SIZE_AT);
      byte type = entries[at + TYPE_AT];
      System.arraycopy(entries, at + TYPE_AT + 1, entries, at + TYPE_AT, size - TYPE_AT - 1);
      entries[at + size - 1] = type;
      at += size;
    }
    task.memory().write(arguments.word(1), entries);
    return entries.length;
  }

  private static byte[] entries(Task task, Arguments arguments) {
    if (!(Descriptors.opened(task, arguments.integer(0)) instanceof OpenDirectory directory)) {
      throw new ErrnoException(Errno.ENOTDIR);
    }
    int size = (int) Math.min(arguments.integer(2) & 0xffff_ffffL, LARGEST_DIRECTORY_READ);
    return directory.entries(size);
  }

  // ---- devices ----

  /** ioctl(2): of terminals only what isatty(3) and programs that query the size need. */
  static long ioctl(Task task, Arguments arguments) {
    int number = arguments.integer(0);
    OpenFile file = Descriptors.opened(task, number);
    long address = arguments.word(2);
    switch (arguments.integer(1)) {
      case TCGETS -> task.memory().write(address, termios(file));
      case TIOCGWINSZ -> task.memory().write(address, window(file));
      case FIONREAD ->
          task.memory().writeInt(address, (int) Math.min(file.available(), Integer.MAX_VALUE));
      case FIONBIO -> {
        boolean isSet = task.memory().readInt(address) != 0;
        file.flags(
            isSet ? file.flags() | OpenFlags.O_NONBLOCK : file.flags() & ~OpenFlags.O_NONBLOCK);
      }
      case FIOCLEX -> task.process().descriptors().closeOnExec(number, true);
      case FIONCLEX -> task.process().descriptors().closeOnExec(number, false);
      default -> throw new ErrnoException(Errno.ENOTTY);
    }
    return 0;
  }

  private static void checkTerminal(OpenFile file) {
    if (!file.isTerminal()) {
      throw new ErrnoException(Errno.ENOTTY);
    }
  }

  private static byte[] termios(OpenFile file) {
    checkTerminal(file);
    ByteBuffer termios = Struct.allocate(TERMIOS_SIZE);
    termios.putInt(0x500).putInt(0x5).putInt(0xbf).putInt(0x8a3b); // the settings of stty(1) sane
    return Struct.bytes(termios);
  }

  private static byte[] window(OpenFile file) {
    checkTerminal(file);
    ByteBuffer window = Struct.allocate(WINDOW.length * Short.BYTES);
    window.asShortBuffer().put(WINDOW);
    return Struct.bytes(window);
  }
}
