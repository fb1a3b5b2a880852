package dev.stubpool;

/** What an instruction wanted to do with memory when it faulted. */
public enum Access {
  /** Read data. */
  READ,
  /** Write data, or read and write it in one. */
  WRITE,
  /** Fetch an instruction. */
  EXECUTE,
  /** Any of these: what is known of the fault fits more than one. */
  UNKNOWN
}
