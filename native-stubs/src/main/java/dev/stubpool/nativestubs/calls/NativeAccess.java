package dev.stubpool.nativestubs.calls;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The restricted methods of the foreign function interface, and what to do where they are denied.
 */
public final class NativeAccess {
  private NativeAccess() {}

  /** The option of the {@code java} command that lets this module call native code (JEP 472). */
  public static String requiredOption() {
    Module module = NativeAccess.class.getModule();
    return "--enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
  }

  /**
   * A function in memory of this process.
   *
   * <p>SAFETY: {@code address} must be the first instruction of a function that takes and returns
   * what {@code descriptor} says by the platform's calling convention, and stay mapped.
   */
  public static MethodHandle function(long address, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(MemorySegment.ofAddress(address), descriptor);
  }

  /**
   * What to throw for what a {@link #function} has thrown: it declares no exception, so this is an
   * Error, such as a stack overflow.
   */
  public static Error unexpected(Throwable thrown) {
    return thrown instanceof Error error ? error : new LinkageError("native call", thrown);
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
