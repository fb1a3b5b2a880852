package dev.stubpool.nativestubs.calls;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.stubpool.abi.Errno;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A sealed memfd with machine code from a resource, to be mapped read-execute. Mappings stay when
 * the file is closed. All methods throw {@link NativeCallException} for a call that the kernel
 * refused.
 */
public final class TextFile implements AutoCloseable {
  /** A way to make any system call: its result, or -errno. */
  interface SystemCall {
    long call(int number, long a, long b, long c, long d, long e, long f);
  }

  private final SystemCall kernel;
  private final int fd;
  private final String step;

  private TextFile(SystemCall kernel, int fd, String step) {
    this.kernel = kernel;
    this.fd = fd;
    this.step = step;
  }

  /**
   * Makes the file.
   *
   * @param owner the class beside which the resource lies, in this module
   * @param resource its name
   * @param name of the memfd, as /proc/PID/maps shows it behind {@code /memfd:}
   * @param size of the file in bytes, at least the resource's; the rest is zeroes
   * @param step what is being done, for the exception's message
   */
  public static TextFile of(Class<?> owner, String resource, String name, long size, String step) {
    return of(Kernel::call, owner, resource, name, size, step);
  }

  /** {@link #of(Class, String, String, long, String)} before {@link Kernel} can be used. */
  static TextFile of(
      SystemCall kernel, Class<?> owner, String resource, String name, long size, String step) {
    byte[] text = read(owner, resource);
    try (Arena arena = Arena.ofConfined()) {
      long nameAddress = arena.allocateFrom(name).address();
      long fd =
          MemoryCalls.memoryFile(
              flags -> kernel.call(Abi.SYS_memfd_create, nameAddress, flags, 0, 0, 0, 0));
      TextFile file =
          new TextFile(kernel, (int) NativeCallException.check(fd, "memfd_create", step), step);
      try {
        file.fill(arena.allocateFrom(JAVA_BYTE, text), size);
      } catch (RuntimeException | Error e) {
        file.close();
        throw e;
      }
      return file;
    }
  }

  private static byte[] read(Class<?> owner, String resource) {
    try (InputStream in = owner.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException(resource + " is missing from the native-stubs jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void fill(MemorySegment text, long size) {
    NativeCallException.check(
        kernel.call(Abi.SYS_ftruncate, fd, size, 0, 0, 0, 0), "ftruncate", step);
    long length = text.byteSize();
    long written =
        NativeCallException.check(
            kernel.call(Abi.SYS_write, fd, text.address(), length, 0, 0, 0), "write", step);
    if (written != length) {
      throw new NativeCallException("write", Errno.EIO, step);
    }
    NativeCallException.check(
        kernel.call(Abi.SYS_fcntl, fd, Abi.F_ADD_SEALS, Abi.SEALS_OF_TEXT, 0, 0, 0), "fcntl", step);
  }

  /** Maps the file's first {@code size} bytes where the kernel has room; their address. */
  long map(long size) {
    return map(0, size, Abi.MAP_SHARED, 0);
  }

  /**
   * Maps a part of the file.
   *
   * <p>SAFETY: replaces whatever is mapped at {@code address}, which must be the caller's.
   */
  public void mapAt(long address, long size, long offset) {
    map(address, size, Abi.MAP_SHARED | Abi.MAP_FIXED, offset);
  }

  private long map(long address, long size, int flags, long offset) {
    int protection = Abi.PROT_READ | Abi.PROT_EXEC;
    return NativeCallException.check(
        kernel.call(Abi.SYS_mmap, address, size, protection, flags, fd, offset), "mmap", step);
  }

  @Override
  public void close() {
    kernel.call(Abi.SYS_close, fd, 0, 0, 0, 0, 0);
  }
}
