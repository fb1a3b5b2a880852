package dev.stubpool.trace;

import dev.stubpool.StubPoolException;

/**
 * What to do when the system has no thread for the JVM: pthread_create(3) fails with EAGAIN, and
 * the JVM makes an OutOfMemoryError of it though the heap has room.
 */
public final class ThreadAdvice {
  private ThreadAdvice() {}

  /**
   * Starts a thread.
   *
   * @throws StubPoolException if the system refuses one; the message says what to change
   */
  public static void start(Thread thread) {
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      throw refused(thread.getName(), e);
    }
  }

  /** The exception to throw for such an error; if the heap is full indeed, throws that. */
  public static StubPoolException refused(String thread, OutOfMemoryError e) {
    String message = e.getMessage();
    if (message == null || !message.contains("native thread")) {
      throw e;
    }
    return new StubPoolException(
        "pthread_create: EAGAIN while starting thread "
            + thread
            + "; a limit on threads is reached: look at ulimit -u (RLIMIT_NPROC), pids.max of the"
            + " cgroup, /proc/sys/kernel/threads-max and pid_max; or memory for its stack is"
            + " (ulimit -v, -Xss)",
        e);
  }
}
