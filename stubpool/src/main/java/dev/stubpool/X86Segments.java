package dev.stubpool;

/**
 * The segment bases and data segment selectors of a stopped x86-64 guest. They are read from the
 * kernel when first used; those that are set are written when the guest is resumed.
 *
 * <p>All methods may be called only on the guest's tracer thread, and throw as those of {@link
 * Guest} do.
 */
public interface X86Segments {
  /**
   * {@return the base of fs} A guest can set it to any value by wrfsbase, if the CPU supports that.
   */
  long fsBase();

  /**
   * Sets the base of fs.
   *
   * @param value the address
   * @return this
   * @throws IllegalArgumentException for an address behind user space
   */
  X86Segments fsBase(long value);

  /**
   * {@return the base of gs} A guest can set it to any value by wrgsbase, if the CPU supports that.
   */
  long gsBase();

  /**
   * Sets the base of gs.
   *
   * @param value the address
   * @return this
   * @throws IllegalArgumentException for an address behind user space
   */
  X86Segments gsBase(long value);

  /** {@return the selector of ds, 0 in 64-bit code} */
  int ds();

  /**
   * Sets the selector of ds.
   *
   * @param value the selector, 16 bits
   * @return this
   * @throws IllegalArgumentException for a selector that is not 0 and whose privilege level is not
   *     3
   */
  X86Segments ds(int value);

  /** {@return the selector of es, 0 in 64-bit code} */
  int es();

  /**
   * Sets the selector of es.
   *
   * @param value the selector, 16 bits
   * @return this
   * @throws IllegalArgumentException for a selector that is not 0 and whose privilege level is not
   *     3
   */
  X86Segments es(int value);

  /** {@return the selector of fs, 0 in 64-bit code} */
  int fs();

  /**
   * Sets the selector of fs.
   *
   * @param value the selector, 16 bits
   * @return this
   * @throws IllegalArgumentException for a selector that is not 0 and whose privilege level is not
   *     3
   */
  X86Segments fs(int value);

  /** {@return the selector of gs, 0 in 64-bit code} */
  int gs();

  /**
   * Sets the selector of gs.
   *
   * @param value the selector, 16 bits
   * @return this
   * @throws IllegalArgumentException for a selector that is not 0 and whose privilege level is not
   *     3
   */
  X86Segments gs(int value);
}
