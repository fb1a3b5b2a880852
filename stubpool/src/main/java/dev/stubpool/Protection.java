package dev.stubpool;

/** The accesses to a page that are allowed, as in mmap(2) and mprotect(2). */
public enum Protection {
  /** No access: every access faults. */
  NONE(0),
  /** Read. */
  READ(1),
  /** Write. On x86-64 a page that can be written can be read, too. */
  WRITE(2),
  /** Read and write. */
  READ_WRITE(3),
  /** Execute. On x86-64 such a page can be read, too, unless protection keys prevent it. */
  EXECUTE(4),
  /** Read and execute. */
  READ_EXECUTE(5),
  /** Write and execute. */
  WRITE_EXECUTE(6),
  /** Read, write and execute. */
  READ_WRITE_EXECUTE(7);

  /** Each protection at the index of its bits. */
  private static final Protection[] ALL = values();

  private final int bits;

  Protection(int bits) {
    this.bits = bits;
  }

  /**
   * The protection with the given bits.
   *
   * @param bits the bits of mmap(2): PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4; 0 to 7
   * @return the protection with these bits
   * @throws IndexOutOfBoundsException if other bits are set
   */
  public static Protection of(int bits) {
    return ALL[bits];
  }

  /** {@return the bits of mmap(2): PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4} */
  public int bits() {
    return bits;
  }
}
