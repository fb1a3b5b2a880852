package dev.stubpool;

import dev.stubpool.diagnose.Failures;
import org.jspecify.annotations.Nullable;

/** The factory by which the rest of the library makes the exceptions of this package. */
final class ExceptionFactory extends Failures {
  @Override
  public SystemCallException systemCall(String call, int errno, String step, String advice) {
    return new SystemCallException(call, errno, step, advice);
  }

  @Override
  public SystemCallException again(SystemCallException failure) {
    return failure.again();
  }

  @Override
  public MemoryFaultException memoryFault(String call, String step, long address, long copied) {
    return new MemoryFaultException(call, step, address, copied);
  }

  @Override
  public NotSharedMemoryException notShared(int pid, long address, String what) {
    return new NotSharedMemoryException(pid, address, what);
  }

  @Override
  public DeniedSystemCallException denied(int number) {
    return new DeniedSystemCallException(number);
  }

  @Override
  public StubDiedException died(int pid, String how, String step) {
    return new StubDiedException(pid, how, step);
  }

  @Override
  public StubUnresponsiveException unresponsive(String message) {
    return new StubUnresponsiveException(message);
  }

  @Override
  public LeaseClosedException leaseClosed(int pid) {
    return new LeaseClosedException(pid);
  }

  @Override
  public StubPoolClosedException poolClosed(String pool) {
    return new StubPoolClosedException(pool);
  }

  @Override
  public StubPoolFullException poolFull(String message) {
    return new StubPoolFullException(message);
  }

  @Override
  public TooManyWaitersException tooManyWaiters(String message) {
    return new TooManyWaitersException(message);
  }

  @Override
  public AcquireTimeoutException acquireTimeout(String message) {
    return new AcquireTimeoutException(message);
  }

  @Override
  public AcquireInterruptedException acquireInterrupted(String message) {
    return new AcquireInterruptedException(message);
  }

  @Override
  public GuestTimeoutException guestTimeout(String message) {
    return new GuestTimeoutException(message);
  }

  @Override
  public UnsupportedMachineException unsupported(String message, @Nullable Throwable cause) {
    return new UnsupportedMachineException(message, cause);
  }

  @Override
  public StubPoolException other(String message, @Nullable Throwable cause) {
    return new StubPoolException(message, cause);
  }
}
