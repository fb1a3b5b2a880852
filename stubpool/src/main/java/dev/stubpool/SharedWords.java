package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.MappingTable.Kind;
import dev.stubpool.MappingTable.Range;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.trace.Tracee;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Atomic operations on words of memory files that a stub maps SHARED, through this JVM's own
 * mapping of the file. No system call.
 *
 * <p>Under a hold, as copies are: the mapping belongs to the lease then, and the stub's next holder
 * cannot have mapped anything of his own there.
 */
final class SharedWords {
  private static final VarHandle INT = JAVA_INT.varHandle();
  private static final VarHandle LONG = JAVA_LONG.varHandle();

  private final Stub stub;

  SharedWords(Stub stub) {
    this.stub = stub;
  }

  /** What to do with a word of a file. */
  private interface Operation {
    long on(MemorySegment file, long offset);
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
    StubProcess process = stub.process();
    Tracee tracee = process.tracee;
    if (!tracee.hold()) {
      stub.checkUsable();
      throw died(name, address);
    }
    try {
      stub.checkUsable();
      if (tracee.death() != null) {
        throw died(name, address);
      }
      Range range = process.mappings.find(address);
      MemoryFile file = fileOf(range, name, address, size, writes);
      try {
        return operation.on(file.segment(), range.offsetOf(address));
      } catch (IllegalStateException e) {
        throw new IllegalStateException(
            file + " is closed, so this JVM no longer has the memory of " + step(name, address), e);
      }
    } finally {
      tracee.release();
    }
  }

  /** The file of a range, of which the stub itself could access the word. */
  private MemoryFile fileOf(Range range, String name, long address, int size, boolean writes) {
    int needed = writes ? Abi.PROT_WRITE : Abi.PROT_READ | Abi.PROT_WRITE | Abi.PROT_EXEC;
    if (range == null || (range.protection().bits() & needed) == 0) {
      throw new MemoryFaultException(name, "accessing " + step(name, address), address, 0);
    }
    if (range.kind() != Kind.MEMORY_FILE || range.sharing() != Sharing.SHARED) {
      String what =
          switch (range.kind()) {
            case ANONYMOUS -> "memory without a file";
            case MEMORY_FILE -> "the stub's own copy of a memory file, mapped PRIVATE";
            case HOST_FILE, UNKNOWN_FILE -> "of a file that is no MemoryFile";
          };
      throw new NotSharedMemoryException(stub.pid(), address, what);
    }
    if (range.offsetOf(address) > range.fileSize() - size) {
      throw new MemoryFaultException(name, "accessing " + step(name, address), address, 0);
    }
    return (MemoryFile) range.file();
  }

  private StubDiedException died(String name, long address) {
    String how = stub.process().tracee.death();
    return new StubDiedException(
        stub.pid(), how == null ? "being killed" : how, "accessing " + step(name, address));
  }

  private String step(String name, long address) {
    return "stub " + stub.pid() + " at 0x" + Long.toHexString(address) + " by " + name;
  }
}
