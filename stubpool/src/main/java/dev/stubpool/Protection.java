package dev.stubpool;

/** What a stub may do with a page, mmap(2) and mprotect(2). */
public enum Protection {
  /** Nothing: every access faults. */
  NONE(0),
  /** Read. */
  READ(1),
  /** Write; x86-64 pages that can be written can be read. */
  WRITE(2),
  /** Read and write. */
  READ_WRITE(3),
  /** Execute; without protection keys such pages can be read. */
  EXECUTE(4),
  /** Read and execute. */
  READ_EXECUTE(5),
  /** Write and execute. */
  WRITE_EXECUTE(6),
  /** Read, write and execute. */
  READ_WRITE_EXECUTE(7);

  /** Each at the index of its bits. */
  private static final Protection[] ALL = values();

  private final int bits;

  Protection(int bits) {
    this.bits = bits;
  }

  /** What these bits say, in [0, 7]. */
  static Protection of(int bits) {
    return ALL[bits];
  }

  /** PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4. */
  int bits() {
    return bits;
  }
}
