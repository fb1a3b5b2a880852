package dev.stubpool.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.HostFile;
import dev.stubpool.Mapping;
import dev.stubpool.MemoryFile;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.proc.ProcMaps;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The record of what the library has mapped in one stub, in step with the kernel's own. Ranges are
 * split and merged as mmap(2), munmap(2) and mprotect(2) do it. The table does not contain the stub
 * image, nor what the code of a compromised stub maps by itself.
 *
 * <p>The ranges are an immutable sorted array in a volatile field. Readers take no lock: they
 * search the array that they read from the field. A writer stores a new array; copying the
 * references costs little compared with the system call that was recorded.
 *
 * <p>The lock is held over the system call and its recording, so that racing calls are recorded in
 * the order in which the kernel made them, whichever tracer threads make them. A call can take as
 * long as its tracer's deadline. So the lock is taken by the thread that wants the call: the one
 * that submits it to the forge tracer, or a guest's tracer thread. The forge tracer serves the
 * whole pool and never takes it.
 *
 * <p>Lock order: no other lock of this package is taken while this one is held. Its holder may
 * submit a request to the forge tracer and wait for it.
 */
public final class MappingTable {
  private static final Logger LOG = LoggerFactory.getLogger(MappingTable.class);

  /** The bits of mmap's flags that select the sharing; MAP_SHARED_VALIDATE is both of them. */
  private static final long SHARING_FLAGS = Abi.MAP_SHARED | Abi.MAP_PRIVATE;

  private static final long PAGE_MASK = -(long) AddressSpace.PAGE_SIZE;

  private static final Range[] NOTHING = {};

  /** What a range of memory maps. */
  enum Kind {
    /** Anonymous memory, without a file. */
    ANONYMOUS,
    /** A {@link MemoryFile}. */
    MEMORY_FILE,
    /** A {@link HostFile}. */
    HOST_FILE,
    /** A descriptor whose file the library does not know. */
    UNKNOWN_FILE
  }

  /**
   * Consecutive pages with the same attributes.
   *
   * @param start the first address
   * @param end the first address behind the range
   * @param source what is mapped, compared by identity: a {@link MappableFile}; a token for shared
   *     anonymous memory or an unknown file; null for private anonymous memory
   * @param offset of the range's first byte in the source, in bytes; 0 for private anonymous memory
   */
  record Range(
      long start,
      long end,
      Protection protection,
      Sharing sharing,
      Kind kind,
      @Nullable Object source,
      long offset) {

    /** The file, or null if the range maps no file that the library knows. */
    @Nullable MappableFile file() {
      return source instanceof MappableFile file ? file : null;
    }

    /** Size of the file in bytes, or -1 if the range maps no file that the library knows. */
    long fileSize() {
      return source instanceof MappableFile file ? file.size() : -1;
    }

    /** The offset in the source of an address in this range, in bytes. */
    long offsetOf(long address) {
      return offset + (address - start);
    }

    private Range part(long from, long to) {
      return new Range(
          from, to, protection, sharing, kind, source, source == null ? 0 : offsetOf(from));
    }

    private Range with(Protection other) {
      return new Range(start, end, other, sharing, kind, source, offset);
    }

    /** Whether this range and the next can be merged into one. */
    boolean joins(Range next) {
      return end == next.start
          && protection == next.protection
          && sharing == next.sharing
          && kind == next.kind
          && source == next.source
          && (source == null || offsetOf(end) == next.offset);
    }
  }

  /** The kernel's list of what is mapped in the stub. */
  public interface KernelMappings {
    /**
     * Reads the mappings of the process, sorted by address.
     *
     * @throws IOException if they cannot be read
     */
    List<ProcMaps.Mapping> read() throws IOException;
  }

  private final KernelMappings kernel;
  private final Runnable discard;
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * Sorted, disjoint, and merged where possible. The array is never changed; the field is written
   * under the lock, or by the forge tracer while no lease can use the stub.
   */
  private volatile Range[] ranges = NOTHING;

  /**
   * Makes an empty table.
   *
   * @param kernel is read after calls that failed
   * @param discard kills the stub, if a call was made and there is no heap to record it
   */
  public MappingTable(KernelMappings kernel, Runnable discard) {
    this.kernel = kernel;
    this.discard = discard;
  }

  // ---- any thread but the forge tracer ----

  /** Whether a system call changes mappings. */
  public static boolean isRecorded(int number) {
    return number == Abi.SYS_mmap || number == Abi.SYS_munmap || number == Abi.SYS_mprotect;
  }

  /**
   * Runs a task under this table's lock. Every {@link #callAndRecord} and {@link #copied} must be
   * part of such a task.
   */
  public long inTurn(LongSupplier task) {
    lock.lock();
    try {
      return task.getAsLong();
    } finally {
      lock.unlock();
    }
  }

  // ---- the tracer thread that makes the call, while the thread that wants it holds the lock ----

  /**
   * Makes a system call in the stub, and records what it did if it is mmap(2), munmap(2) or
   * mprotect(2). The parameters are the call's arguments, without the descriptor.
   *
   * @param protection of mmap and mprotect
   * @param flags of mmap
   * @param offset of mmap
   * @param file the file of mmap's descriptor, or null if it is not known
   * @param call makes the call and returns the kernel's result. If it throws, the call was not
   *     made, or the stub is dead
   * @return the kernel's result, -errno in [-4095, -1]
   */
  public long callAndRecord(
      int number,
      long address,
      long size,
      long protection,
      long flags,
      long offset,
      @Nullable MappableFile file,
      LongSupplier call) {
    long result = call.getAsLong();
    if (isRecorded(number)) {
      try {
        record(number, address, size, protection, flags, offset, file, result);
      } catch (Error e) {
        discard.run(); // the table no longer matches the kernel's
        throw e;
      }
    }
    return result;
  }

  private void record(
      int number,
      long address,
      long size,
      long protection,
      long flags,
      long offset,
      @Nullable MappableFile file,
      long result) {
    if (Failures.isError(result)) {
      if (result != -Errno.EEXIST) { // of MAP_FIXED_NOREPLACE, which then changes nothing
        afterFailure(address, size);
      }
      return;
    }
    long end = address + roundedUp(size);
    if (end == address) {
      return; // mprotect of an empty range succeeds
    }
    switch (number) {
      case Abi.SYS_mmap -> map(address, end, protection, flags, offset, file);
      case Abi.SYS_munmap -> replace(address, end, List.of());
      default -> protect(address, end, Protection.of((int) protection));
    }
  }

  /**
   * Copies the stub, and gives the copy's table the ranges of this one. Under the lock, so that no
   * call changes the stub's mappings meanwhile.
   *
   * @param copy makes the copy
   * @param tableOf returns the table of a copy
   * @return the copy
   */
  public <T> T copied(Supplier<T> copy, Function<T, MappingTable> tableOf) {
    T child = copy.get();
    tableOf.apply(child).ranges = ranges;
    return child;
  }

  // ---- the forge tracer ----

  /** Removes all ranges. For a stub that was reset and is not leased. */
  public void clear() {
    ranges = NOTHING;
  }

  /** Rounds a size up to whole pages, as the kernel does. */
  private static long roundedUp(long size) {
    return (size + AddressSpace.PAGE_SIZE - 1) & PAGE_MASK;
  }

  private void map(
      long start, long end, long protection, long flags, long offset, @Nullable MappableFile file) {
    Sharing sharing = (flags & SHARING_FLAGS) == Abi.MAP_PRIVATE ? Sharing.PRIVATE : Sharing.SHARED;
    Kind kind;
    @Nullable Object source;
    long from = 0;
    if ((flags & Abi.MAP_ANONYMOUS) != 0) {
      kind = Kind.ANONYMOUS;
      source = sharing == Sharing.SHARED ? new Object() : null;
    } else {
      kind =
          switch (file) {
            case Memfd _ -> Kind.MEMORY_FILE;
            case OpenHostFile _ -> Kind.HOST_FILE;
            case null -> Kind.UNKNOWN_FILE;
          };
      source = file == null ? new Object() : file;
      from = offset;
    }
    Protection allowed = Protection.of((int) protection);
    replace(start, end, List.of(new Range(start, end, allowed, sharing, kind, source, from)));
  }

  private void protect(long start, long end, Protection protection) {
    List<Range> changed = new ArrayList<>();
    Range[] now = ranges;
    for (int i = firstEndingAfter(now, start); i < now.length && now[i].start < end; i++) {
      Range inside = now[i].part(Math.max(start, now[i].start), Math.min(end, now[i].end));
      changed.add(inside.with(protection));
    }
    replace(start, end, changed);
  }

  /** Replaces whatever is in [start, end) by {@code middle}. */
  private void replace(long start, long end, List<Range> middle) {
    Range[] old = ranges;
    int from = firstEndingAfter(old, start);
    int to = from;
    while (to < old.length && old[to].start < end) {
      to++;
    }
    // Including the neighbours, which may merge with the new ranges.
    int head = Math.max(0, from - 1);
    int tail = Math.min(old.length, to + 1);
    List<Range> window = new ArrayList<>();
    if (head < from) {
      window.add(old[head]);
    }
    if (from < to && old[from].start < start) {
      append(window, old[from].part(old[from].start, start));
    }
    for (Range range : middle) {
      append(window, range);
    }
    if (from < to && old[to - 1].end > end) {
      append(window, old[to - 1].part(end, old[to - 1].end));
    }
    if (to < tail) {
      append(window, old[to]);
    }
    Range[] changed = new Range[head + window.size() + old.length - tail];
    System.arraycopy(old, 0, changed, 0, head);
    for (int i = 0; i < window.size(); i++) {
      changed[head + i] = window.get(i);
    }
    System.arraycopy(old, tail, changed, head + window.size(), old.length - tail);
    ranges = changed;
  }

  private static void append(List<Range> list, Range next) {
    if (!list.isEmpty() && list.getLast().joins(next)) {
      Range last = list.removeLast();
      list.add(
          new Range(
              last.start,
              next.end,
              last.protection,
              last.sharing,
              last.kind,
              last.source,
              last.offset));
    } else {
      list.add(next);
    }
  }

  /**
   * Corrects the table after a call that failed, by the kernel's own list. Such a call may have had
   * an effect: mprotect changes the pages before the one that it fails at, and mmap may have
   * unmapped what it was to replace.
   */
  private void afterFailure(long address, long size) {
    if (!overlaps(address, size)) {
      return;
    }
    List<ProcMaps.Mapping> real;
    try {
      real = kernel.read();
    } catch (IOException e) {
      LOG.warn(
          "a call that changes mappings failed in the range of {} bytes at 0x{}, and the stub's"
              + " mappings cannot be read, so the record of them may be wrong there: {}",
          size,
          Long.toHexString(address),
          e.toString());
      return;
    }
    List<Range> left = new ArrayList<>();
    int next = 0;
    for (Range range : ranges) {
      while (next < real.size() && real.get(next).end() <= range.start) {
        next++;
      }
      for (int i = next; i < real.size() && real.get(i).start() < range.end; i++) {
        ProcMaps.Mapping there = real.get(i);
        long from = Math.max(range.start, there.start());
        long to = Math.min(range.end, there.end());
        if (from < to) {
          append(left, range.part(from, to).with(protectionOf(there)));
        }
      }
    }
    ranges = left.toArray(NOTHING);
  }

  /**
   * Whether [address, address + size) overlaps any range. Accepts all values, including those that
   * the kernel refuses.
   */
  private boolean overlaps(long address, long size) {
    long rounded = roundedUp(size);
    for (Range range : ranges) {
      if (Long.compareUnsigned(address, range.end) < 0
          && (address >= range.start || Long.compareUnsigned(rounded, range.start - address) > 0)) {
        return true;
      }
    }
    return false;
  }

  private static Protection protectionOf(ProcMaps.Mapping mapping) {
    String letters = mapping.permissions();
    return Protection.of(
        (letters.charAt(0) == 'r' ? Abi.PROT_READ : 0)
            | (letters.charAt(1) == 'w' ? Abi.PROT_WRITE : 0)
            | (letters.charAt(2) == 'x' ? Abi.PROT_EXEC : 0));
  }

  // ---- any thread ----

  /** The range that contains an address, or null. */
  @Nullable Range find(long address) {
    Range[] now = ranges;
    int index = firstEndingAfter(now, address);
    return index < now.length && now[index].start <= address ? now[index] : null;
  }

  /** All ranges, sorted by address. */
  List<Range> ranges() {
    return List.of(ranges);
  }

  /** All ranges, as values of the API. */
  List<Mapping> mappings() {
    return Arrays.stream(ranges)
        .map(range -> new Mapping(range.start, range.end, range.protection, range.sharing))
        .toList();
  }

  private static int firstEndingAfter(Range[] all, long address) {
    int low = 0;
    int high = all.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (all[middle].end <= address) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
