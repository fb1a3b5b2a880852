package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.util.TreeMap;

/** The descriptors of a process. */
public final class DescriptorTable implements AutoCloseable {
  /** RLIMIT_NOFILE: numbers are below. */
  public static final int LIMIT = 1024;

  private final TreeMap<Integer, Descriptor> open = new TreeMap<>();

  private record Descriptor(OpenFile file, boolean closeOnExec) {}

  /** The file of a descriptor. */
  public OpenFile get(int number) {
    return descriptor(number).file();
  }

  private Descriptor descriptor(int number) {
    Descriptor descriptor = open.get(number);
    if (descriptor == null) {
      throw new ErrnoException(Errno.EBADF);
    }
    return descriptor;
  }

  /** Whether execve(2) would close a descriptor. */
  public boolean isCloseOnExec(int number) {
    return descriptor(number).closeOnExec();
  }

  /** Says whether execve(2) shall close a descriptor. */
  public void closeOnExec(int number, boolean value) {
    open.put(number, new Descriptor(get(number), value));
  }

  /** Gives a file the lowest free number. */
  public int add(OpenFile file, boolean closeOnExec) {
    return add(file, closeOnExec, 0);
  }

  /** Gives a file the lowest free number that is not below another. */
  public int add(OpenFile file, boolean closeOnExec, int lowest) {
    int number = lowest;
    while (open.containsKey(number)) {
      number++;
    }
    if (number >= LIMIT) {
      throw new ErrnoException(Errno.EMFILE);
    }
    put(number, file, closeOnExec);
    return number;
  }

  /** Gives a file a number, which is closed first if it is open. */
  public void put(int number, OpenFile file, boolean closeOnExec) {
    file.addDescriptor();
    Descriptor before = open.put(number, new Descriptor(file, closeOnExec));
    if (before != null) {
      before.file().dropDescriptor();
    }
  }

  /** close(2). */
  public void close(int number) {
    OpenFile file = get(number);
    open.remove(number);
    file.dropDescriptor();
  }

  /** Closes all. */
  @Override
  public void close() {
    open.values().forEach(descriptor -> descriptor.file().dropDescriptor());
    open.clear();
  }
}
