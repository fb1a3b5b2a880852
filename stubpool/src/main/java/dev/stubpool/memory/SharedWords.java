package dev.stubpool.memory;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.MemoryFaultException;
import dev.stubpool.Sharing;
import dev.stubpool.StubDiedException;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.memory.MappingTable.Range;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.ptrace.Tracee;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Atomic operations on words of memory files that a stub maps SHARED, performed in this JVM's own
 * mapping of the file. They make no system call.
 *
 * <p>Each is performed under a hold of the pid, as copies are: the lease cannot pass to another
 * holder meanwhile, so the range that is found is one of this lease.
 */
final class SharedWords {
  private static final VarHandle INT = JAVA_INT.varHandle();
  private static final VarHandle LONG = JAVA_LONG.varHandle();

  private final MemoryTarget target;

  SharedWords(MemoryTarget target) {
    this.target = target;
  }

  /** An atomic operation on a word of a file. */
  private interface Operation {
    long apply(MemorySegment file, long offset);
  }

  int getInt(long address) {
    return (int) ints("getInt", address, false, (file, at) -> (int) INT.getVolatile(file, at));
  }

  void putInt(long address, int value) {
    ints(
        "putInt",
        address,
        true,
        (file, at) -> {
          INT.setVolatile(file, at, value);
          return 0;
        });
  }

  int compareAndExchangeInt(long address, int expected, int value) {
    return (int)
        ints(
            "compareAndExchangeInt",
            address,
            true,
            (file, at) -> (int) INT.compareAndExchange(file, at, expected, value));
  }

  int getAndAddInt(long address, int delta) {
    return (int)
        ints("getAndAddInt", address, true, (file, at) -> (int) INT.getAndAdd(file, at, delta));
  }

  int getAndSetInt(long address, int value) {
    return (int)
        ints("getAndSetInt", address, true, (file, at) -> (int) INT.getAndSet(file, at, value));
  }

  long getLong(long address) {
    return longs("getLong", address, false, (file, at) -> (long) LONG.getVolatile(file, at));
  }

  void putLong(long address, long value) {
    longs(
        "putLong",
        address,
        true,
        (file, at) -> {
          LONG.setVolatile(file, at, value);
          return 0;
        });
  }

  long compareAndExchangeLong(long address, long expected, long value) {
    return longs(
        "compareAndExchangeLong",
        address,
        true,
        (file, at) -> (long) LONG.compareAndExchange(file, at, expected, value));
  }

  long getAndAddLong(long address, long delta) {
    return longs(
        "getAndAddLong", address, true, (file, at) -> (long) LONG.getAndAdd(file, at, delta));
  }

  long getAndSetLong(long address, long value) {
    return longs(
        "getAndSetLong", address, true, (file, at) -> (long) LONG.getAndSet(file, at, value));
  }

  private long ints(String name, long address, boolean writes, Operation operation) {
    return perform(name, address, Integer.BYTES, writes, operation);
  }

  private long longs(String name, long address, boolean writes, Operation operation) {
    return perform(name, address, Long.BYTES, writes, operation);
  }

  private long perform(String name, long address, int size, boolean writes, Operation operation) {
    if ((address & (size - 1)) != 0) {
      throw new IllegalArgumentException(
          "address 0x%x must be a multiple of %d".formatted(address, size));
    }
    Tracee tracee = target.tracee();
    if (!tracee.hold()) {
      target.checkUsable();
      throw died(name, address);
    }
    try {
      target.checkUsable();
      if (tracee.death() != null) {
        throw died(name, address);
      }
      Range range = target.mappings().find(address);
      if (range == null) {
        throw fault(name, address);
      }
      Memfd file = fileOf(range, name, address, size, writes);
      try {
        return operation.apply(file.segment(), range.offsetOf(address));
      } catch (IllegalStateException e) {
        throw new IllegalStateException(
            file + " is closed, so this JVM no longer has the memory of " + step(name, address), e);
      }
    } finally {
      tracee.release();
    }
  }

  /** The memory file that a range maps; throws if the stub itself could not access the word. */
  private Memfd fileOf(Range range, String name, long address, int size, boolean writes) {
    int needed = writes ? Abi.PROT_WRITE : Abi.PROT_READ | Abi.PROT_WRITE | Abi.PROT_EXEC;
    if ((range.protection().bits() & needed) == 0) {
      throw fault(name, address);
    }
    if (!(range.file() instanceof Memfd file) || range.sharing() != Sharing.SHARED) {
      String what =
          switch (range.kind()) {
            case ANONYMOUS -> "anonymous memory";
            case MEMORY_FILE -> "a memory file mapped PRIVATE";
            case HOST_FILE, UNKNOWN_FILE -> "of a file that is no MemoryFile";
          };
      throw Failures.make().notShared(target.tracee().pid(), address, what);
    }
    if (range.offsetOf(address) > range.fileSize() - size) {
      throw fault(name, address);
    }
    return file;
  }

  private StubDiedException died(String name, long address) {
    Tracee tracee = target.tracee();
    return Failures.make()
        .died(tracee.pid(), tracee.describeDeath(), "accessing " + step(name, address));
  }

  private MemoryFaultException fault(String name, long address) {
    return Failures.make().memoryFault(name, "accessing " + step(name, address), address, 0);
  }

  private String step(String name, long address) {
    return "stub " + target.tracee().pid() + " at 0x" + Long.toHexString(address) + " by " + name;
  }
}
