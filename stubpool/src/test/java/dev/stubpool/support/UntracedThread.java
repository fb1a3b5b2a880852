package dev.stubpool.support;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;

/** Another thread of a stub, unknown to its tracer: {@link HeldDeath} can hold the stub by it. */
public final class UntracedThread {
  private static final String STEP = "making a thread for a test";

  private UntracedThread() {}

  /**
   * Makes one, which sleeps in the image. On the thread that traces the stub.
   *
   * @return its number
   */
  public static int make(StopRunner tracer, Tracee stub) {
    long tid = tracer.inject(stub, Abi.SYS_clone, Abi.GUEST_THREAD_FLAGS, 0, 0, 0, 0, 0, STEP);
    if (tid < 0) {
      throw new AssertionError("clone: " + tid);
    }
    Tracee thread = new Tracee((int) tid);
    tracer.awaitStop(thread, STEP);
    tracer.park(thread, STEP);
    return thread.pid();
  }
}
