package dev.stubpool;

/** The kind of memory access that an instruction was making when it faulted. */
public enum Access {
  /** Read data. */
  READ,
  /** Write data, or read and write them in one instruction. */
  WRITE,
  /** Fetch an instruction. */
  EXECUTE,
  /** Unknown: more than one of these kinds is possible. */
  UNKNOWN
}
