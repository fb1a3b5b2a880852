package dev.stubpool.nativestubs.image;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.NativeAccess;
import dev.stubpool.nativestubs.calls.NativeCallException;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The clone of a source stub, and the boot region that JVM and source share until it is born.
 *
 * <p>Order of use: construct, {@link #start} (the child waits), seize it, {@link #proceed}, wait
 * for its int3 at {@link ImageSymbols#STUB_READY_DONE} or its death, {@link #step} and {@link
 * #errno}, close.
 */
public final class SourceClone implements AutoCloseable {
  /** A mapping of this process. */
  public record Range(long address, long length) {}

  private static final MethodHandle CLONE =
      NativeAccess.function(
          StubImage.get().address(ImageSymbols.SOURCE_CLONE),
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));

  private final MemorySegment boot;

  /**
   * Prepares a birth.
   *
   * @param filter the seccomp program, an array of {@code struct sock_filter}
   * @param pidPage the address of a page from {@link MemoryCalls#mapShared}, which the source will
   *     see in the image's range
   * @param vdso the vDSO's mapping, or null if there is none
   * @param excluded mappings that the child does not need, at most {@link Abi#BOOT_MAX_RANGES};
   *     whole mappings only
   * @param exitSignal what the kernel sends the JVM when the child, or a child of it, dies
   * @param armParentDeathSignal false only in tests of the other mechanism
   */
  public SourceClone(
      byte[] filter,
      long pidPage,
      @Nullable Range vdso,
      List<Range> excluded,
      int exitSignal,
      boolean armParentDeathSignal) {
    if (filter.length / 8 > Abi.BOOT_FILTER_MAX_INSTRUCTIONS
        || excluded.size() > Abi.BOOT_MAX_RANGES) {
      throw new IllegalArgumentException("filter or mappings do not fit the boot region");
    }
    long address =
        NativeCallException.check(
            MemoryCalls.mapShared(Abi.BOOT_REGION_SIZE), "mmap", "cloning the source stub");
    boot = NativeAccess.view(address, Abi.BOOT_REGION_SIZE);
    boot.set(JAVA_LONG, Abi.BOOT_image_base, StubImage.get().base());
    if (vdso != null) {
      boot.set(JAVA_LONG, Abi.BOOT_vdso_address, vdso.address());
      boot.set(JAVA_LONG, Abi.BOOT_vdso_length, vdso.length());
    }
    // glibc >= 2.35 tells where and how long the struct rseq of every thread is; other libcs
    // register none.
    SymbolLookup libc = Linker.nativeLinker().defaultLookup();
    libc.find("__rseq_offset")
        .ifPresent(
            offset ->
                libc.find("__rseq_size")
                    .ifPresent(
                        size -> {
                          boot.set(
                              JAVA_LONG,
                              Abi.BOOT_rseq_offset,
                              offset.reinterpret(8).get(JAVA_LONG, 0));
                          long length =
                              Integer.toUnsignedLong(size.reinterpret(4).get(JAVA_INT, 0));
                          boot.set(JAVA_LONG, Abi.BOOT_rseq_length, length);
                        }));
    boot.set(JAVA_LONG, Abi.BOOT_pid_page, pidPage);
    boot.set(JAVA_INT, Abi.BOOT_jvm_pid, ProcessCalls.pid());
    boot.set(JAVA_INT, Abi.BOOT_exit_signal, exitSignal);
    boot.set(JAVA_INT, Abi.BOOT_arm_parent_death_signal, armParentDeathSignal ? 1 : 0);
    boot.set(JAVA_INT, Abi.BOOT_filter_length, filter.length / 8);
    MemorySegment.copy(filter, 0, boot, JAVA_BYTE, Abi.BOOT_FILTER_OFFSET, filter.length);
    boot.set(JAVA_INT, Abi.BOOT_range_count, excluded.size());
    for (int i = 0; i < excluded.size(); i++) {
      long at = Abi.BOOT_ranges + (long) i * Abi.BOOT_RANGE_SIZE;
      boot.set(JAVA_LONG, at + Abi.BOOT_RANGE_address, excluded.get(i).address());
      boot.set(JAVA_LONG, at + Abi.BOOT_RANGE_length, excluded.get(i).length());
    }
  }

  /**
   * Forks. The child dies with the calling thread, not only with the process (PR_SET_PDEATHSIG).
   *
   * <p>One thread at a time: the marks that keep mappings from a child (MADV_DONTFORK) belong to
   * the mappings, and one clone would take them away from under another.
   *
   * @return the pid, or -errno, of the call that {@link #step} tells
   */
  public long start() {
    synchronized (SourceClone.class) {
      try {
        return (long) CLONE.invokeExact(boot.address());
      } catch (Throwable t) {
        throw NativeAccess.unexpected(t);
      }
    }
  }

  /** Lets the child go on, now that it is traced. */
  public void proceed() {
    boot.set(JAVA_INT, Abi.BOOT_seized, 1);
    ProcessCalls.wakeFutex(boot.address() + Abi.BOOT_seized);
  }

  /** How many of the excluded mappings the kernel kept from the child. */
  public int rangesExcluded() {
    return boot.get(JAVA_INT, Abi.BOOT_ranges_excluded);
  }

  /** The step that the child is in, or failed in. */
  public BirthStep step() {
    return BirthStep.of(boot.get(JAVA_INT, Abi.BOOT_step));
  }

  /** The error number of the failed step, 0 if none failed. */
  public int errno() {
    return boot.get(JAVA_INT, Abi.BOOT_error);
  }

  /** Unmaps the JVM's side of the boot region. */
  @Override
  public void close() {
    MemoryCalls.unmap(boot.address(), Abi.BOOT_REGION_SIZE);
  }
}
