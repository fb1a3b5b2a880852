package dev.stubpool.memory;

import dev.stubpool.Access;
import dev.stubpool.AddressSpace;
import dev.stubpool.Protection;
import dev.stubpool.memory.MappingTable.Range;
import dev.stubpool.nativestubs.calls.Abi;

/**
 * Tells which kind of access a SIGSEGV was for, from the stub's mappings alone, where these leave
 * only one. The rules are those of x86-64 without protection keys: a page that can be written or
 * executed can be read. {@link dev.stubpool.FaultDetails#access} has the CPU's own answer.
 */
public final class AccessGuess {
  private static final long PAGE_MASK = -(long) AddressSpace.PAGE_SIZE;

  /** An instruction has at most 15 bytes (Intel SDM volume 2, section 2.3.11). */
  private static final int LONGEST_INSTRUCTION = 15;

  private AccessGuess() {}

  /**
   * The kind of access that faulted: never wrong if the mappings are those of the time of the
   * fault, and {@link Access#UNKNOWN} where more than one kind is possible.
   *
   * <p>A fetch is certain where the page of the instruction's first byte cannot be executed, and
   * the fault lies within the longest instruction from there: no instruction ran that could have
   * read or written. If the faulting page can be read and written but not executed, only a fetch
   * can fault there; the instruction then reaches from the page before into this one.
   *
   * @param table the stub's mappings
   * @param signalCode si_code of the signal, sigaction(2): SEGV_MAPERR 1, SEGV_ACCERR 2; for others
   *     the answer is UNKNOWN
   * @param address si_addr
   * @param instructionPointer where the instruction that faulted begins
   */
  public static Access of(
      MappingTable table, int signalCode, long address, long instructionPointer) {
    if (signalCode != Abi.SEGV_MAPERR && signalCode != Abi.SEGV_ACCERR) {
      return Access.UNKNOWN;
    }
    boolean inInstruction =
        Long.compareUnsigned(address - instructionPointer, LONGEST_INSTRUCTION) < 0;
    if (signalCode == Abi.SEGV_MAPERR) {
      boolean samePage = (address & PAGE_MASK) == (instructionPointer & PAGE_MASK);
      // On the same page the kernel itself reports that the instruction's page is not mapped.
      return inInstruction && (samePage || cannotExecute(table, instructionPointer))
          ? Access.EXECUTE
          : Access.UNKNOWN;
    }
    if (inInstruction && cannotExecute(table, instructionPointer)) {
      return Access.EXECUTE;
    }
    Range range = table.find(address);
    if (range == null || range.protection() == Protection.NONE) {
      return Access.UNKNOWN;
    }
    boolean writable = (range.protection().bits() & Abi.PROT_WRITE) != 0;
    boolean executable = (range.protection().bits() & Abi.PROT_EXEC) != 0;
    if (writable) {
      // Reads and writes are allowed. If a fetch is too, or is impossible here, the mappings have
      // changed since the fault.
      return inInstruction && !executable ? Access.EXECUTE : Access.UNKNOWN;
    }
    // Reads are allowed. Besides a write, a fetch is possible if the instruction reaches into a
    // page that cannot be executed.
    return inInstruction && !executable ? Access.UNKNOWN : Access.WRITE;
  }

  /** Whether the mappings say that no instruction at this address can have run. */
  private static boolean cannotExecute(MappingTable table, long address) {
    Range range = table.find(address);
    return range != null && (range.protection().bits() & Abi.PROT_EXEC) == 0;
  }
}
