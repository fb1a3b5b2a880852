package dev.stubpool.nativestubs.calls;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Calls into the host text: any system call, the look at a tracee, the CPUID instruction.
 *
 * <p>Results are the kernel's: a value, or {@code -errno} in [-4095, -1]. The host text neither
 * sets nor reads libc's {@code errno}. The first use of this class maps it ({@link HostText#get});
 * a failure to do so is an {@link ExceptionInInitializerError}, and final.
 */
public final class Kernel {
  private static final MethodHandle SYSCALL =
      handle(
          HostSymbols.HOST_SYSCALL,
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
              JAVA_LONG));
  private static final MethodHandle SYSCALL_ON_SEGMENT =
      handle(
          HostSymbols.HOST_SYSCALL,
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
              JAVA_LONG, ADDRESS));
  private static final MethodHandle WAIT =
      handle(
          HostSymbols.HOST_POLL_STOP,
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle CPUID =
      handle(HostSymbols.HOST_CPUID, FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_LONG));

  private Kernel() {}

  private static MethodHandle handle(int symbol, FunctionDescriptor descriptor) {
    return NativeAccess.function(HostText.get().address(symbol), descriptor);
  }

  /**
   * System call {@code number}. It may block: the thread is then in native code, where it holds up
   * no safepoint.
   */
  public static long call(int number, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) SYSCALL.invokeExact((long) number, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw NativeAccess.unexpected(t);
    }
  }

  /**
   * A call that one of the arguments leads to memory of {@code segment}: it is checked to be alive
   * and this thread's to use, and stays so until the call returns. The host text never sees this
   * last argument.
   */
  public static long callOn(
      MemorySegment segment, int number, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) SYSCALL_ON_SEGMENT.invokeExact((long) number, a, b, c, d, e, f, segment);
    } catch (RuntimeException refused) {
      throw refused;
    } catch (Throwable t) {
      throw NativeAccess.unexpected(t);
    }
  }

  /** {@link #call(int, long, long, long, long, long, long)} with fewer arguments. */
  public static long call(int number, long a, long b, long c, long d) {
    return call(number, a, b, c, d, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} with fewer arguments. */
  public static long call(int number, long a, long b, long c) {
    return call(number, a, b, c, 0, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} with fewer arguments. */
  public static long call(int number, long a, long b) {
    return call(number, a, b, 0, 0, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} with fewer arguments. */
  public static long call(int number, long a) {
    return call(number, a, 0, 0, 0, 0, 0);
  }

  /** {@link #call(int, long, long, long, long, long, long)} without arguments. */
  public static long call(int number) {
    return call(number, 0, 0, 0, 0, 0, 0);
  }

  /**
   * Looks up to {@code tries} times whether the process whose pid is at {@code pidAddress} (0: not
   * known yet) has stopped or died, giving the CPU away after each look; takes nothing away, so
   * that a dead process keeps its pid.
   *
   * @return 1 when the siginfo_t at {@code siginfoAddress} tells, 0 when there is nothing yet, or
   *     -errno
   */
  static long pollStop(long pidAddress, long siginfoAddress, int tries) {
    try {
      return (long) WAIT.invokeExact(pidAddress, siginfoAddress, tries);
    } catch (Throwable t) {
      throw NativeAccess.unexpected(t);
    }
  }

  /** The CPUID instruction: eax, ebx, ecx, edx as four ints at {@code resultAddress}. */
  static void cpuid(int leaf, int subleaf, long resultAddress) {
    try {
      CPUID.invokeExact(leaf, subleaf, resultAddress);
    } catch (Throwable t) {
      throw NativeAccess.unexpected(t);
    }
  }
}
