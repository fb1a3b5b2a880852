package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.sync.KernelLock;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A standard stream inherited from this JVM. Regular files are read and written directly, at the
 * host's position; files that may block are read and written in threads of their own. It is never
 * closed, because the JVM has only one of each.
 */
public final class InheritedFile extends OpenFile {
  /** Major number of terminals, Documentation/admin-guide/devices.txt of Linux. */
  private static final int TTY = 4;

  private static final int CONSOLE = 5;
  private static final int FIRST_PTY = 136;
  private static final int LAST_PTY = 143;

  /** Major number of null(4) and similar devices, which never block. */
  private static final int MEMORY = 1;

  private static final FileDescriptor[] DESCRIPTORS = {
    FileDescriptor.in, FileDescriptor.out, FileDescriptor.err,
  };

  /**
   * The readers are shared by all guests, so that data read for one that has ended goes to the
   * next.
   */
  private static final HostReader[] READERS = new HostReader[DESCRIPTORS.length];

  private static final int OCTAL = 8;

  private final KernelLock lock;
  private final Path host;
  private final FileStatus kind;
  private final boolean isAppendOnHost;
  private final FileInputStream in;
  private final FileOutputStream out;
  private final HostReader reader;
  private final HostWriter writer;
  private final Runnable whenChanged = this::tell;

  private InheritedFile(int number, String path, int flags, KernelLock lock) {
    super(path, flags & (OpenFlags.O_ACCMODE | OpenFlags.O_APPEND));
    this.lock = lock;
    this.host = Path.of("/proc/self/fd/" + number);
    this.kind = status();
    this.isAppendOnHost = Bits.any(flags, OpenFlags.O_APPEND);
    this.in = new FileInputStream(DESCRIPTORS[number]);
    this.out = new FileOutputStream(DESCRIPTORS[number]);
    this.reader = reader(number, in);
    this.writer = new HostWriter("stubpool-output-" + number, out);
  }

  private static HostReader reader(int number, FileInputStream in) {
    synchronized (READERS) {
      if (READERS[number] == null) {
        READERS[number] = new HostReader("stubpool-input-" + number, in, true);
      }
      return READERS[number];
    }
  }

  /** Standard input. No more is read than the guest requests. */
  public static OpenFile input(KernelLock lock) {
    return of(0, OpenFlags.O_RDONLY, lock);
  }

  /** Standard output, unbuffered. */
  public static OpenFile output(KernelLock lock) {
    return of(1, OpenFlags.O_WRONLY, lock);
  }

  /** Standard error. */
  public static OpenFile errors(KernelLock lock) {
    return of(2, OpenFlags.O_WRONLY, lock);
  }

  private static OpenFile of(int number, int usual, KernelLock lock) {
    try {
      String path = Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
      return new InheritedFile(number, path, hostFlags(number, usual), lock);
    } catch (IOException | ErrnoException _) {
      return new DeviceFile(
          "/dev/null", usual, Device.NULL); // the JVM has no such stream, or it is hidden
    }
  }

  /** The flags with which the host's file was opened, proc(5). */
  private static int hostFlags(int number, int usual) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + number))) {
      if (line.startsWith("flags:")) {
        return Integer.parseInt(line.substring("flags:".length()).strip(), OCTAL);
      }
    }
    return usual;
  }

  private void tell() {
    lock.with(waiters()::wakeAll);
  }

  // ---- status ----

  @Override
  public FileStatus status() {
    try {
      return FileStatus.of(host);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public boolean isSeekable() {
    return kind.type() == FileStatus.S_IFREG;
  }

  @Override
  public boolean isPollable() {
    return !isSeekable() && !(kind.type() == FileStatus.S_IFCHR && major() == MEMORY);
  }

  @Override
  public boolean isTerminal() {
    int major = major();
    return kind.type() == FileStatus.S_IFCHR
        && (major == TTY
            || (major == CONSOLE && (kind.specialDevice() & 0xff) < 2)
            || (major >= FIRST_PTY && major <= LAST_PTY));
  }

  private int major() {
    return (int) (kind.specialDevice() >> 8 & 0xfff);
  }

  // ---- waiting ----

  @Override
  public int readiness() {
    if (!isPollable()) {
      return super.readiness();
    }
    int ready = 0;
    if (OpenFlags.reads(flags()) && reader.isReady(whenChanged, isNonBlocking())) {
      ready |= Poll.POLLIN | Poll.POLLRDNORM;
    }
    if (OpenFlags.writes(flags()) && writer.isReady(whenChanged)) {
      ready |= Poll.POLLOUT | Poll.POLLWRNORM;
    }
    return ready;
  }

  // ---- data ----

  @Override
  public int read(ByteBuffer to) {
    if (!OpenFlags.reads(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    if (isPollable()) {
      return StreamFile.read(to, this, reader, whenChanged);
    }
    byte[] bytes = new byte[to.remaining()];
    try {
      int read = Math.max(0, in.read(bytes));
      to.put(bytes, 0, read);
      return read;
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public void unread(ByteBuffer rest) {
    if (isPollable()) {
      reader.unread(rest);
    } else {
      super.unread(rest);
    }
  }

  @Override
  public int write(ByteBuffer from) {
    if (!OpenFlags.writes(flags())) {
      throw new ErrnoException(Errno.EBADF);
    }
    if (isPollable()) {
      return StreamFile.write(from, this, writer, lock, whenChanged);
    }
    byte[] bytes = new byte[from.remaining()];
    from.get(bytes);
    try {
      if (isSeekable() && Bits.any(flags(), OpenFlags.O_APPEND) && !isAppendOnHost) {
        position(channel().size());
      }
      out.write(bytes);
      return bytes.length;
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public boolean awaitWritten(long millis) {
    return writer.awaitReady(millis);
  }

  @Override
  public int abandonWrite(ByteBuffer from) {
    int underWay = writer.abandon(from);
    waiters().wakeAll(); // the next reader may proceed
    return underWay;
  }

  @Override
  public int read(ByteBuffer to, long position) {
    if (!isSeekable()) {
      return super.read(to, position);
    }
    try {
      return Math.max(0, in.getChannel().read(to, position));
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public int write(ByteBuffer from, long position) {
    if (!isSeekable()) {
      return super.write(from, position);
    }
    try {
      return out.getChannel().write(from, position);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public long available() {
    return isPollable() && OpenFlags.reads(flags()) ? reader.available() : super.available();
  }

  /** The input or output channel; both have the descriptor's single position. */
  private FileChannel channel() {
    return OpenFlags.reads(flags()) ? in.getChannel() : out.getChannel();
  }

  @Override
  public long position() {
    try {
      return isSeekable() ? channel().position() : super.position();
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  public void position(long to) {
    if (!isSeekable()) {
      super.position(to);
    }
    try {
      channel().position(to);
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  @Override
  protected void close() {
    writer.close();
  }
}
