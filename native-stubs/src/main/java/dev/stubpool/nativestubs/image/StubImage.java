package dev.stubpool.nativestubs.image;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.HostText;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.NativeCallException;
import dev.stubpool.nativestubs.calls.TextFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

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
 *   base + 0x400000   birth text     shared, r-x             in the JVM and a source being born
 *                     signal frame   private, rw-            in a stub, once a fault was examined
 * </pre>
 *
 * <p>Any call can be made from the birth text, as from {@link
 * dev.stubpool.nativestubs.calls.HostText}, so no stub keeps it: a source unmaps everything but the
 * stub text before it has its first child.
 */
public final class StubImage {
  private static final String MEMFD_NAME = "stubpool-image";
  private static final String STEP = "mapping the stub image";

  /** Bases are random multiples of the reserved size in the top terabyte of 47-bit user space. */
  private static final long LOWEST_BASE = 0x7f00_0000_0000L;

  private static final long HIGHEST_BASE = 0x7fff_0000_0000L;
  private static final int PLACEMENT_ATTEMPTS = 32;

  /** The reserved range and the birth text behind it. */
  private static final long MAPPED_SIZE = Abi.IMAGE_RESERVED_SIZE + Abi.IMAGE_BIRTH_SIZE;

  private static @Nullable StubImage instance;

  private final long base;
  private final boolean sealed;

  private StubImage(long base, boolean sealed) {
    this.base = base;
    this.sealed = sealed;
  }

  /**
   * The image of this JVM, mapped by the first call that succeeds.
   *
   * @throws IllegalCallerException if this module may not call native code; the message names the
   *     option to add
   * @throws dev.stubpool.nativestubs.calls.MissingFunctionException if libc's syscall(2) cannot be
   *     found; the message says what to do
   * @throws NativeCallException if the kernel refused one of the calls
   */
  public static synchronized StubImage get() {
    if (instance == null) {
      HostText.get(); // before Kernel, whose first use can fail but once
      instance = load();
    }
    return instance;
  }

  /** The first address of the reserved range. */
  public long base() {
    return base;
  }

  /** The first address after the reserved range. */
  public long end() {
    return base + Abi.IMAGE_RESERVED_SIZE;
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
    try (TextFile file =
        TextFile.of(StubImage.class, ImageSymbols.RESOURCE, MEMFD_NAME, Abi.FILE_SIZE, STEP)) {
      long base = reserve();
      try {
        file.mapAt(base + Abi.IMAGE_STUB_OFFSET, Abi.IMAGE_STUB_SIZE, Abi.FILE_STUB_OFFSET);
        file.mapAt(base + Abi.IMAGE_BIRTH_OFFSET, Abi.IMAGE_BIRTH_SIZE, Abi.FILE_BIRTH_OFFSET);
        return new StubImage(base, seal(base + Abi.IMAGE_STUB_OFFSET, Abi.IMAGE_STUB_SIZE));
      } catch (RuntimeException | Error e) {
        MemoryCalls.unmap(base, MAPPED_SIZE);
        throw e;
      }
    }
  }

  private static long reserve() {
    long result = -Errno.EEXIST;
    for (int attempt = 0; attempt < PLACEMENT_ATTEMPTS && result == -Errno.EEXIST; attempt++) {
      long places = (HIGHEST_BASE - LOWEST_BASE) / Abi.IMAGE_RESERVED_SIZE;
      long place = Long.remainderUnsigned(random(), places);
      long base = LOWEST_BASE + place * Abi.IMAGE_RESERVED_SIZE;
      result =
          Kernel.call(
              Abi.SYS_mmap,
              base,
              MAPPED_SIZE,
              Abi.PROT_NONE,
              Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | Abi.MAP_NORESERVE | Abi.MAP_FIXED_NOREPLACE,
              -1,
              0);
      if (result == base) {
        return base;
      }
    }
    throw new NativeCallException("mmap", (int) -result, STEP);
  }

  /** 64 random bits of the kernel's, getrandom(2); SecureRandom would keep two descriptors open. */
  private static long random() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment word = arena.allocate(JAVA_LONG);
      long got = Kernel.call(Abi.SYS_getrandom, word.address(), word.byteSize(), 0);
      if (got != word.byteSize()) { // up to 256 bytes come whole
        throw new NativeCallException("getrandom", got < 0 ? (int) -got : Errno.EIO, STEP);
      }
      return word.get(JAVA_LONG, 0);
    }
  }

  private static boolean seal(long address, long size) {
    long result = Kernel.call(Abi.SYS_mseal, address, size, 0);
    // Older than Linux 6.10, or hidden by a container's filter: the stub's own filter is protection
    // enough.
    if (result < 0 && result != -Errno.ENOSYS && result != -Errno.EPERM) {
      throw new NativeCallException("mseal", (int) -result, STEP);
    }
    return result == 0;
  }
}
