package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.ProcMaps;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the library has mapped in one stub, as the kernel has it.
 *
 * <p>Ranges are split and merged as mmap(2) and its kin do it. Not in it: the stub image, and what
 * a stub that was taken over maps by itself.
 *
 * <p>The ranges are an immutable sorted array behind a volatile field. Readers take no lock: they
 * search the array that was there when they came. A writer makes a new one, which costs a copy of
 * as many references as there are ranges; beside the system call before it that is little.
 *
 * <p>The lock is held over the system call and the note of it, so that two racing calls are noted
 * in the order in which the kernel made them, whichever tracers make them. A call can take as long
 * as its tracer's deadline allows, so the lock is for who wants the call: the thread that asks the
 * forge tracer for it, or a guest's own tracer. The forge tracer itself serves the whole pool, and
 * never waits for it. No other lock of this package is taken under it.
 */
final class MappingTable {
  private static final Logger LOG = LoggerFactory.getLogger(MappingTable.class);

  /** The flags' part that says who sees writes; MAP_SHARED_VALIDATE is both. */
  private static final long SHARING_FLAGS = Abi.MAP_SHARED | Abi.MAP_PRIVATE;

  private static final long PAGE_MASK = -(long) AddressSpace.PAGE_SIZE;

  /** An instruction has at most 15 bytes. */
  private static final int LONGEST_INSTRUCTION = 15;

  private static final Range[] NOTHING = {};

  /** What memory is of. */
  enum Kind {
    /** No file. */
    ANONYMOUS,
    /** A {@link MemoryFile}. */
    MEMORY_FILE,
    /** A {@link HostFile}. */
    HOST_FILE,
    /** A descriptor that the library knows nothing of. */
    UNKNOWN_FILE
  }

  /**
   * Pages in a row that are mapped alike.
   *
   * @param start the first address
   * @param end the first address behind it
   * @param source what its bytes are of, compared by identity: a {@link Mappable}; a token for
   *     shared memory without a name; null for private anonymous memory
   * @param offset where in the source it begins, in bytes; 0 for private anonymous memory
   */
  record Range(
      long start,
      long end,
      Protection protection,
      Sharing sharing,
      Kind kind,
      Object source,
      long offset) {

    /** The file, or null if it is of none that the library knows. */
    Mappable file() {
      return source instanceof Mappable file ? file : null;
    }

    /** Size of the file in bytes, or -1 if it is of none that the library knows. */
    long fileSize() {
      return source instanceof Mappable file ? file.size() : -1;
    }

    /** Where in the source an address of this range is. */
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

    /** Whether this and what follows it are one range. */
    boolean joins(Range next) {
      return end == next.start
          && protection == next.protection
          && sharing == next.sharing
          && kind == next.kind
          && source == next.source
          && (source == null || offsetOf(end) == next.offset);
    }
  }

  /** What the kernel says is mapped. */
  interface Reality {
    /**
     * The mappings of the process, sorted by address.
     *
     * @throws IOException if they cannot be read
     */
    List<ProcMaps.Mapping> mappings() throws IOException;
  }

  private final Reality reality;
  private final Runnable discard;
  private final ReentrantLock lock = new ReentrantLock();

  /** Sorted, disjoint, none joins the next. Never changed: replaced, under the lock. */
  private volatile Range[] ranges = NOTHING;

  /**
   * Makes an empty table.
   *
   * @param discard ends the stub, where a call was made and there is no memory to note it
   */
  MappingTable(Reality reality, Runnable discard) {
    this.reality = reality;
    this.discard = discard;
  }

  // ---- any thread but the forge tracer ----

  /** Whether a system call changes mappings. */
  static boolean isNoted(int number) {
    return number == Abi.SYS_mmap || number == Abi.SYS_munmap || number == Abi.SYS_mprotect;
  }

  /** Does what includes a {@link #noting} or {@link #copied}, while no other does. */
  long inTurn(LongSupplier whatNotes) {
    lock.lock();
    try {
      return whatNotes.getAsLong();
    } finally {
      lock.unlock();
    }
  }

  // ---- the tracer that makes the call, in the turn of who wants it ----

  /**
   * Makes a system call in the stub, and notes what it did if it is mmap(2), munmap(2) or
   * mprotect(2). The parameters are the call's arguments, without the descriptor.
   *
   * @param protection of mmap and mprotect
   * @param flags of mmap
   * @param offset of mmap
   * @param file what mmap's descriptor is, or null if that is not known
   * @param call makes it; its result is the kernel's, and this method's. If it throws, the call was
   *     not made, or the stub is dead.
   */
  long noting(
      int number,
      long address,
      long size,
      long protection,
      long flags,
      long offset,
      Mappable file,
      LongSupplier call) {
    long result = call.getAsLong();
    if (isNoted(number)) {
      try {
        note(number, address, size, protection, flags, offset, file, result);
      } catch (Error e) {
        discard.run(); // the table is not the kernel's any more
        throw e;
      }
    }
    return result;
  }

  private void note(
      int number,
      long address,
      long size,
      long protection,
      long flags,
      long offset,
      Mappable file,
      long result) {
    if (result < 0 && result >= -4095) {
      if (result != -Errno.EEXIST) { // of MAP_FIXED_NOREPLACE: certainly nothing was done
        afterFailure(address, size);
      }
      return;
    }
    long end = address + roundedUp(size);
    if (end == address) {
      return; // mprotect of nothing
    }
    switch (number) {
      case Abi.SYS_mmap -> map(address, end, protection, flags, offset, file);
      case Abi.SYS_munmap -> replace(address, end, List.of());
      default -> protect(address, end, Protection.of((int) protection));
    }
  }

  /** Has a copy of the stub made, which has mapped what the stub has at that moment. */
  StubProcess copied(Supplier<StubProcess> copy) {
    StubProcess child = copy.get();
    child.mappings.ranges = ranges;
    return child;
  }

  // ---- the forge tracer ----

  /** Forgets everything: the stub is like new, and nobody has it. */
  void clear() {
    ranges = NOTHING;
  }

  /** As the kernel rounds sizes. */
  private static long roundedUp(long size) {
    return (size + AddressSpace.PAGE_SIZE - 1) & PAGE_MASK;
  }

  private void map(long start, long end, long protection, long flags, long offset, Mappable file) {
    Sharing sharing = (flags & SHARING_FLAGS) == Abi.MAP_PRIVATE ? Sharing.PRIVATE : Sharing.SHARED;
    Kind kind;
    Object source;
    long from = 0;
    if ((flags & Abi.MAP_ANONYMOUS) != 0) {
      kind = Kind.ANONYMOUS;
      source = sharing == Sharing.SHARED ? new Object() : null;
    } else {
      kind =
          switch (file) {
            case MemoryFile _ -> Kind.MEMORY_FILE;
            case HostFile _ -> Kind.HOST_FILE;
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

  /** Puts {@code middle} in the place of whatever is in [start, end). */
  private void replace(long start, long end, List<Range> middle) {
    Range[] old = ranges;
    int from = firstEndingAfter(old, start);
    int to = from;
    while (to < old.length && old[to].start < end) {
      to++;
    }
    // With the neighbours, which may join.
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
   * A call that fails may have done a part: mprotect changes what lies before the page that it
   * fails at, and mmap may have unmapped what it was to replace. The kernel knows.
   */
  private void afterFailure(long address, long size) {
    if (!meets(address, size)) {
      return;
    }
    List<ProcMaps.Mapping> real;
    try {
      real = reality.mappings();
    } catch (IOException e) {
      LOG.warn(
          "a call that changes mappings failed in the range of {} bytes at 0x{}; whether it did a"
              + " part is not known: {}",
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

  /** For any numbers, also such as the kernel refuses. */
  private boolean meets(long address, long size) {
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

  /** What is mapped where an address is, or null. */
  Range find(long address) {
    Range[] now = ranges;
    int index = firstEndingAfter(now, address);
    return index < now.length && now[index].start <= address ? now[index] : null;
  }

  /** All ranges, sorted by address. */
  List<Range> ranges() {
    return List.of(ranges);
  }

  /** All ranges as callers see them. */
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

  /**
   * What a SIGSEGV was for, as far as the mappings tell: never wrong if they are those of the time
   * of the fault, and {@link Access#UNKNOWN} where more than one access fits. x86-64 without
   * protection keys: whatever can be written or executed can be read.
   *
   * <p>A fetch is certain where the page that holds the first byte of the instruction cannot be
   * executed, and the fault lies within the longest instruction from there: nothing ran that could
   * have read or written. On a page that can be read and written it is a fetch because nothing else
   * faults there; it lies in the instruction's second page then.
   *
   * @param signalCode si_code of the signal, sigaction(2): SEGV_MAPERR 1, SEGV_ACCERR 2; for others
   *     the answer is UNKNOWN
   * @param address si_addr
   * @param instructionPointer where the instruction begins that faulted
   */
  Access guess(int signalCode, long address, long instructionPointer) {
    if (signalCode != Abi.SEGV_MAPERR && signalCode != Abi.SEGV_ACCERR) {
      return Access.UNKNOWN;
    }
    boolean inInstruction =
        Long.compareUnsigned(address - instructionPointer, LONGEST_INSTRUCTION) < 0;
    if (signalCode == Abi.SEGV_MAPERR) {
      boolean samePage = (address & PAGE_MASK) == (instructionPointer & PAGE_MASK);
      // The kernel says itself that the instruction's page is not there.
      return inInstruction && (samePage || cannotExecute(instructionPointer))
          ? Access.EXECUTE
          : Access.UNKNOWN;
    }
    if (inInstruction && cannotExecute(instructionPointer)) {
      return Access.EXECUTE;
    }
    Range range = find(address);
    if (range == null || range.protection == Protection.NONE) {
      return Access.UNKNOWN;
    }
    boolean writable = (range.protection.bits() & Abi.PROT_WRITE) != 0;
    boolean executable = (range.protection.bits() & Abi.PROT_EXEC) != 0;
    if (writable) {
      // Everything but a fetch is allowed; if that is too, or none is near, the table is newer.
      return inInstruction && !executable ? Access.EXECUTE : Access.UNKNOWN;
    }
    // A fetch may fail here too, if the instruction reaches into a page that cannot be executed.
    return inInstruction && !executable ? Access.UNKNOWN : Access.WRITE;
  }

  /** Whether it is known that no instruction begins here. */
  private boolean cannotExecute(long address) {
    Range range = find(address);
    return range != null && (range.protection.bits() & Abi.PROT_EXEC) == 0;
  }
}
