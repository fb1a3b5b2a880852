package dev.stubpool.guest;

import dev.stubpool.X86Segments;
import dev.stubpool.nativestubs.calls.Abi;

/** The segments of a {@link RunningGuest}, as its engine has them. */
final class GuestSegments implements X86Segments {
  /**
   * TASK_SIZE_MAX: the first address that no base may have, arch/x86/include/asm/page_64_types.h.
   */
  private static final long BASE_LIMIT = 0x7fff_ffff_f000L;

  private final RunningGuest guest;

  GuestSegments(RunningGuest guest) {
    this.guest = guest;
  }

  private long get(int offset) {
    return engine().register(offset);
  }

  private X86Segments set(int offset, long value) {
    engine().register(offset, value);
    return this;
  }

  private GuestEngine engine() {
    guest.checkUsable();
    return guest.engine();
  }

  static void checkBase(String name, long value) {
    if (Long.compareUnsigned(value, BASE_LIMIT) >= 0) {
      throw new IllegalArgumentException(
          "%s base 0x%x: must be below 0x%x".formatted(name, value, BASE_LIMIT));
    }
  }

  @Override
  public long fsBase() {
    return get(Abi.REGS_fs_base);
  }

  @Override
  public X86Segments fsBase(long value) {
    checkBase("fs", value);
    return set(Abi.REGS_fs_base, value);
  }

  @Override
  public long gsBase() {
    return get(Abi.REGS_gs_base);
  }

  @Override
  public X86Segments gsBase(long value) {
    checkBase("gs", value);
    return set(Abi.REGS_gs_base, value);
  }

  @Override
  public int ds() {
    return (int) get(Abi.REGS_ds);
  }

  @Override
  public X86Segments ds(int value) {
    GuestRegisters.checkSelector("ds", value, true);
    return set(Abi.REGS_ds, value);
  }

  @Override
  public int es() {
    return (int) get(Abi.REGS_es);
  }

  @Override
  public X86Segments es(int value) {
    GuestRegisters.checkSelector("es", value, true);
    return set(Abi.REGS_es, value);
  }

  @Override
  public int fs() {
    return (int) get(Abi.REGS_fs);
  }

  @Override
  public X86Segments fs(int value) {
    GuestRegisters.checkSelector("fs", value, true);
    return set(Abi.REGS_fs, value);
  }

  @Override
  public int gs() {
    return (int) get(Abi.REGS_gs);
  }

  @Override
  public X86Segments gs(int value) {
    GuestRegisters.checkSelector("gs", value, true);
    return set(Abi.REGS_gs, value);
  }
}
