package dev.stubpool.arch;

import java.lang.foreign.MemorySegment;

/** The CPU architecture that the library was built for. */
public interface Architecture {
  /** The architecture of this machine. */
  static Architecture current() {
    return X86_64.INSTANCE;
  }

  /** Where registers are in what ptrace(2) transfers. */
  RegisterLayout registers();

  /** In which registers the entries of the stub image take their arguments. */
  EntryArguments entries();

  /**
   * Fills general and segment registers with what a new thread has: constants, whatever the thread
   * had before.
   *
   * @param registers of {@link RegisterLayout#bytes} bytes
   */
  void fillInitial(MemorySegment registers);
}
