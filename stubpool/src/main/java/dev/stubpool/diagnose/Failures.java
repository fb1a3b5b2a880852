package dev.stubpool.diagnose;

import dev.stubpool.AcquireInterruptedException;
import dev.stubpool.AcquireTimeoutException;
import dev.stubpool.DeniedSystemCallException;
import dev.stubpool.GuestTimeoutException;
import dev.stubpool.LeaseClosedException;
import dev.stubpool.MemoryFaultException;
import dev.stubpool.NotSharedMemoryException;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubPoolClosedException;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolFullException;
import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.SystemCallException;
import dev.stubpool.TooManyWaitersException;
import dev.stubpool.UnsupportedMachineException;
import java.lang.invoke.MethodHandles;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A factory of the exceptions of the API. Their constructors are not public, since users of the
 * library only catch them.
 *
 * <p>The only implementation is in the package of the exceptions. It is registered when {@link
 * StubPoolException} is initialized.
 */
public abstract class Failures {
  /** Highest errno that a system call returns as a negative result (include/linux/err.h). */
  private static final int MAX_ERRNO = 4095;

  private static volatile @Nullable Failures instance;

  /** For the implementation. */
  protected Failures() {}

  /** Registers the implementation. */
  public static void register(Failures implementation) {
    instance = implementation;
  }

  /** {@return the factory} */
  public static Failures make() {
    Failures known = instance;
    if (known == null) {
      try {
        MethodHandles.lookup().ensureInitialized(StubPoolException.class);
      } catch (IllegalAccessException e) {
        throw new LinkageError("the exceptions of the API are public", e);
      }
      known = Objects.requireNonNull(instance, "registered by that class");
    }
    return known;
  }

  /**
   * Checks the raw result of a system call.
   *
   * @param call the call's name
   * @param step what was being done, such as "forging a stub"
   * @return {@code result}
   * @throws SystemCallException if {@code result} is -errno
   */
  public static long check(long result, String call, String step) {
    if (isError(result)) {
      throw make().systemCall(call, (int) -result, step);
    }
    return result;
  }

  /** Whether the raw result of a system call is -errno. */
  public static boolean isError(long result) {
    return result < 0 && result >= -MAX_ERRNO;
  }

  /** The message of an exception, or its class if it has none. */
  public static String message(Throwable e) {
    String message = e.getMessage();
    return message == null ? e.toString() : message;
  }

  /** A system call failed. */
  public final SystemCallException systemCall(String call, int errno, String step) {
    return systemCall(call, errno, step, "");
  }

  /** A system call failed; {@code advice} is a clause for the end of the message, or "". */
  public abstract SystemCallException systemCall(
      String call, int errno, String step, String advice);

  /** A copy of a failure for another thread, since threads must not share exceptions. */
  public abstract SystemCallException again(SystemCallException failure);

  /** Memory of a stub could not be accessed; {@code copied} bytes before it were copied. */
  public abstract MemoryFaultException memoryFault(
      String call, String step, long address, long copied);

  /** A stub's memory is not shared with this JVM; {@code what} says what kind of memory it is. */
  public abstract NotSharedMemoryException notShared(int pid, long address, String what);

  /** A stub's filter denied a call. */
  public abstract DeniedSystemCallException denied(int number);

  /** A stub is dead; {@code how} is such as "killed by SIGKILL". */
  public abstract StubDiedException died(int pid, String how, String step);

  /** A stub did not stop, or a tracer did not answer, in time. */
  public abstract StubUnresponsiveException unresponsive(String message);

  /** A lease is closed. */
  public abstract LeaseClosedException leaseClosed(int pid);

  /** A pool is closed. */
  public abstract StubPoolClosedException poolClosed(String pool);

  /** A pool has no room for a copy. */
  public abstract StubPoolFullException poolFull(String message);

  /** A pool has as many waiting threads as it may have. */
  public abstract TooManyWaitersException tooManyWaiters(String message);

  /** No stub became free in time. */
  public abstract AcquireTimeoutException acquireTimeout(String message);

  /** A thread was interrupted while it waited for a stub. */
  public abstract AcquireInterruptedException acquireInterrupted(String message);

  /** A guest ran for too long. */
  public abstract GuestTimeoutException guestTimeout(String message);

  /** This machine cannot run stubs; {@code cause} may be null. */
  public abstract UnsupportedMachineException unsupported(
      String message, @Nullable Throwable cause);

  /** This machine cannot run stubs. */
  public final UnsupportedMachineException unsupported(String message) {
    return unsupported(message, null);
  }

  /** Any other failure; {@code cause} may be null. */
  public abstract StubPoolException other(String message, @Nullable Throwable cause);

  /** Any other failure. */
  public final StubPoolException other(String message) {
    return other(message, null);
  }
}
