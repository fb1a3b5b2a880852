package dev.stubpool.nativestubs;

import static dev.stubpool.nativestubs.Abi.FILE_HOST_OFFSET;
import static dev.stubpool.nativestubs.Abi.FILE_SIZE;
import static dev.stubpool.nativestubs.Abi.FILE_STUB_OFFSET;
import static dev.stubpool.nativestubs.Abi.IMAGE_HOST_OFFSET;
import static dev.stubpool.nativestubs.Abi.IMAGE_HOST_SIZE;
import static dev.stubpool.nativestubs.Abi.IMAGE_RESERVED_SIZE;
import static dev.stubpool.nativestubs.Abi.IMAGE_STUB_OFFSET;
import static dev.stubpool.nativestubs.Abi.IMAGE_STUB_SIZE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * The stub image: machine code at one address in this JVM and in every stub.
 *
 * <p>It lies in a sealed memfd named {@code stubpool-image}, mapped at a random base, and owns a
 * range of {@value Abi#IMAGE_RESERVED_SIZE} bytes from there. One image a JVM, never unmapped:
 * stubs of all pools share it.
 *
 * <pre>
 *   base + 0          stub text      shared, r-x, mseal'ed   in every stub
 *   base + 0x8000     pid page       shared, rw-             in a source stub only
 *   ...               reserved       nothing
 *   base + 0x400000   host text      shared, r-x             in the JVM only: any call can be made from it
 *                     signal frame   private, rw-            in a stub, once a fault was examined
 * </pre>
 */
public final class StubImage {
  private static final String RESOURCE = "stub-image-x86_64.bin";
  private static final String MEMFD_NAME = "stubpool-image";

  /** Bases are random multiples of the reserved size in the top terabyte of 47-bit user space. */
  private static final long LOWEST_BASE = 0x7f00_0000_0000L;

  private static final long HIGHEST_BASE = 0x7fff_0000_0000L;
  private static final int PLACEMENT_ATTEMPTS = 32;

  private static StubImage instance;

  private final long base;
  private final boolean sealed;

  private StubImage(long base, boolean sealed) {
    this.base = base;
    this.sealed = sealed;
  }

  /**
   * The image of this JVM, mapped by the first call.
   *
   * @throws IllegalCallerException if this module may not call native code; the message names the
   *     option to add
   * @throws MissingFunctionException if libc's syscall(2) cannot be found; the message says what to
   *     do
   * @throws NativeCallException if the kernel refused one of the calls
   */
  public static synchronized StubImage get() {
    if (instance == null) {
      try {
        instance = load();
      } catch (IllegalCallerException denied) {
        throw new IllegalCallerException(
            "stubpool may not call native code in this JVM: add the option "
                + NativeAccess.requiredOption()
                + " to the java command",
            denied);
      }
    }
    return instance;
  }

  /** The first address of the reserved range. */
  public long base() {
    return base;
  }

  /** The first address after the reserved range. */
  public long end() {
    return base + IMAGE_RESERVED_SIZE;
  }

  /** The address of a label of {@link ImageSymbols}. */
  public long address(int symbol) {
    return base + symbol;
  }

  /**
   * Whether the kernel sealed the mappings (mseal(2), Linux 6.10). Elsewhere the filter alone
   * protects them.
   */
  public boolean sealed() {
    return sealed;
  }

  private static StubImage load() {
    LibcSyscall libc = new LibcSyscall();
    byte[] text = readResource();
    try (Arena arena = Arena.ofConfined()) {
      String step = "mapping the stub image";
      long name = arena.allocateFrom(MEMFD_NAME).address();
      int fd =
          (int)
              check(
                  MemoryCalls.memoryFile(flags -> libc.call(Abi.SYS_memfd_create, name, flags)),
                  "memfd_create",
                  step);
      try {
        libc.check(step, "ftruncate", Abi.SYS_ftruncate, fd, FILE_SIZE);
        MemorySegment bytes = arena.allocateFrom(JAVA_BYTE, text);
        long written = libc.check(step, "write", Abi.SYS_write, fd, bytes.address(), text.length);
        if (written != text.length) {
          throw new NativeCallException("write", Errno.EIO, step);
        }
        libc.check(step, "fcntl", Abi.SYS_fcntl, fd, Abi.F_ADD_SEALS, Abi.SEALS_OF_THE_IMAGE);
        long base = reserve(libc, step);
        mapText(libc, step, base + IMAGE_STUB_OFFSET, IMAGE_STUB_SIZE, fd, FILE_STUB_OFFSET);
        mapText(libc, step, base + IMAGE_HOST_OFFSET, IMAGE_HOST_SIZE, fd, FILE_HOST_OFFSET);
        boolean sealed = seal(libc, step, base + IMAGE_STUB_OFFSET, IMAGE_STUB_SIZE);
        return new StubImage(base, sealed);
      } finally {
        libc.call(Abi.SYS_close, fd);
      }
    }
  }

  private static byte[] readResource() {
    try (InputStream in = StubImage.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing from the native-stubs jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long reserve(LibcSyscall libc, String step) {
    long result = -Errno.EEXIST;
    for (int attempt = 0; attempt < PLACEMENT_ATTEMPTS && result == -Errno.EEXIST; attempt++) {
      long places = (HIGHEST_BASE - LOWEST_BASE) / IMAGE_RESERVED_SIZE;
      long place = Long.remainderUnsigned(libc.random(step), places);
      long base = LOWEST_BASE + place * IMAGE_RESERVED_SIZE;
      result =
          libc.call(
              Abi.SYS_mmap,
              base,
              IMAGE_RESERVED_SIZE + IMAGE_HOST_SIZE,
              Abi.PROT_NONE,
              Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | Abi.MAP_NORESERVE | Abi.MAP_FIXED_NOREPLACE,
              -1,
              0);
      if (result == base) {
        return base;
      }
    }
    throw new NativeCallException("mmap", (int) -result, step);
  }

  private static void mapText(
      LibcSyscall libc, String step, long address, int size, int fd, int offset) {
    int protection = Abi.PROT_READ | Abi.PROT_EXEC;
    int flags = Abi.MAP_SHARED | Abi.MAP_FIXED;
    libc.check(step, "mmap", Abi.SYS_mmap, address, size, protection, flags, fd, offset);
  }

  private static boolean seal(LibcSyscall libc, String step, long address, long size) {
    long result = libc.call(Abi.SYS_mseal, address, size, 0);
    // Older than Linux 6.10, or hidden by a container's filter: the stub's own filter is protection
    // enough.
    if (result < 0 && result != -Errno.ENOSYS && result != -Errno.EPERM) {
      throw new NativeCallException("mseal", (int) -result, step);
    }
    return result == 0;
  }

  /** System calls through libc, for as long as there is no image to make them from. */
  private static final class LibcSyscall {
    private final MethodHandle syscall;

    LibcSyscall() {
      Linker linker = Linker.nativeLinker();
      // syscall(2) is variadic: the number is its only fixed argument.
      syscall =
          linker.downcallHandle(
              linker
                  .defaultLookup()
                  .find("syscall")
                  .orElseThrow(() -> new MissingFunctionException("syscall")),
              FunctionDescriptor.of(
                  JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                  JAVA_LONG),
              Linker.Option.firstVariadicArg(1),
              Linker.Option.captureCallState("errno"));
    }

    long call(int number, long... arguments) {
      long[] a = Arrays.copyOf(arguments, 6);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment errno = arena.allocate(Linker.Option.captureStateLayout());
        long result =
            (long) syscall.invokeExact(errno, (long) number, a[0], a[1], a[2], a[3], a[4], a[5]);
        return result == -1 ? -errno.get(JAVA_INT, 0) : result;
      } catch (Throwable e) {
        throw new LinkageError("syscall", e);
      }
    }

    /**
     * 64 random bits of the kernel's, getrandom(2); SecureRandom would keep two descriptors open.
     */
    long random(String step) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment word = arena.allocate(JAVA_LONG);
        long size = word.byteSize();
        long got = check(step, "getrandom", Abi.SYS_getrandom, word.address(), size, 0);
        if (got != size) { // up to 256 bytes come whole
          throw new NativeCallException("getrandom", Errno.EIO, step);
        }
        return word.get(JAVA_LONG, 0);
      }
    }

    long check(String step, String name, int number, long... arguments) {
      return StubImage.check(call(number, arguments), name, step);
    }
  }

  private static long check(long result, String name, String step) {
    if (result < 0) {
      throw new NativeCallException(name, (int) -result, step);
    }
    return result;
  }
}
