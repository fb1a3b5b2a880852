package dev.stubpool.nativestubs;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Whether this module may call native code, and what to do when it may not. */
public final class NativeAccess {
  private NativeAccess() {}

  /** The option of the {@code java} command that lets this module call native code (JEP 472). */
  public static String requiredOption() {
    Module module = NativeAccess.class.getModule();
    return "--enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
  }

  /**
   * Views memory of this process.
   *
   * <p>SAFETY: {@code address} must be mapped for {@code size} bytes for as long as the segment is
   * used.
   */
  public static MemorySegment view(long address, long size) {
    return MemorySegment.ofAddress(address).reinterpret(size);
  }

  /**
   * Views memory of this process until {@code arena} closes, which then runs {@code release}.
   *
   * <p>SAFETY: {@code address} must be mapped for {@code size} bytes until {@code release} unmaps
   * it.
   */
  public static MemorySegment view(long address, long size, Arena arena, Runnable release) {
    return MemorySegment.ofAddress(address).reinterpret(size, arena, segment -> release.run());
  }
}
