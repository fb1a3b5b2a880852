package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.trace.GuestThread;

/** Segment bases and data segment selectors of a stopped guest, read when first asked for. */
public final class Segments {
  /**
   * TASK_SIZE_MAX: the first address that no base may have, arch/x86/include/asm/page_64_types.h.
   */
  private static final long BASE_LIMIT = 0x7fff_ffff_f000L;

  private final Guest guest;

  Segments(Guest guest) {
    this.guest = guest;
  }

  private long get(int offset) {
    return thread().register(offset);
  }

  private Segments set(int offset, long value) {
    thread().register(offset, value);
    return this;
  }

  private GuestThread thread() {
    guest.checkUsable();
    return guest.thread();
  }

  static void checkBase(String name, long value) {
    if (Long.compareUnsigned(value, BASE_LIMIT) >= 0) {
      throw new IllegalArgumentException(
          "%s base 0x%x: must be below 0x%x".formatted(name, value, BASE_LIMIT));
    }
  }

  /** The base of fs; a guest can set it to anything by wrfsbase, where the CPU has that. */
  public long fsBase() {
    return get(Abi.REGS_fs_base);
  }

  /**
   * Sets the base of fs.
   *
   * @throws IllegalArgumentException for an address behind user space
   */
  public Segments fsBase(long value) {
    checkBase("fs", value);
    return set(Abi.REGS_fs_base, value);
  }

  /** The base of gs; a guest can set it to anything by wrgsbase, where the CPU has that. */
  public long gsBase() {
    return get(Abi.REGS_gs_base);
  }

  /**
   * Sets the base of gs.
   *
   * @throws IllegalArgumentException for an address behind user space
   */
  public Segments gsBase(long value) {
    checkBase("gs", value);
    return set(Abi.REGS_gs_base, value);
  }

  /** The selector of ds, 0 in 64-bit code. */
  public int ds() {
    return (int) get(Abi.REGS_ds);
  }

  /**
   * Sets the selector of ds.
   *
   * @throws IllegalArgumentException for one that is not 0 and whose privilege level is not 3
   */
  public Segments ds(int value) {
    Registers.checkSelector("ds", value, true);
    return set(Abi.REGS_ds, value);
  }

  /** The selector of es, 0 in 64-bit code. */
  public int es() {
    return (int) get(Abi.REGS_es);
  }

  /**
   * Sets the selector of es.
   *
   * @throws IllegalArgumentException for one that is not 0 and whose privilege level is not 3
   */
  public Segments es(int value) {
    Registers.checkSelector("es", value, true);
    return set(Abi.REGS_es, value);
  }

  /** The selector of fs, 0 in 64-bit code. */
  public int fs() {
    return (int) get(Abi.REGS_fs);
  }

  /**
   * Sets the selector of fs.
   *
   * @throws IllegalArgumentException for one that is not 0 and whose privilege level is not 3
   */
  public Segments fs(int value) {
    Registers.checkSelector("fs", value, true);
    return set(Abi.REGS_fs, value);
  }

  /** The selector of gs, 0 in 64-bit code. */
  public int gs() {
    return (int) get(Abi.REGS_gs);
  }

  /**
   * Sets the selector of gs.
   *
   * @throws IllegalArgumentException for one that is not 0 and whose privilege level is not 3
   */
  public Segments gs(int value) {
    Registers.checkSelector("gs", value, true);
    return set(Abi.REGS_gs, value);
  }
}
