package dev.stubpool.diagnose;

import dev.stubpool.StubPoolException;

/**
 * Advice for error messages when the system refuses a thread: pthread_create(3) fails with EAGAIN,
 * which the JVM reports as an OutOfMemoryError although the heap has room.
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

  /**
   * {@return the exception to throw for an OutOfMemoryError of {@link Thread#start}}
   *
   * @throws OutOfMemoryError {@code e}, if the heap is in fact full
   */
  public static StubPoolException refused(String thread, OutOfMemoryError e) {
    String message = e.getMessage();
    if (message == null || !message.contains("native thread")) {
      throw e;
    }
    return Failures.make()
        .other(
            "pthread_create: EAGAIN while starting thread "
                + thread
                + "; a limit on threads is reached: look at ulimit -u (RLIMIT_NPROC), pids.max of"
                + " the cgroup, /proc/sys/kernel/threads-max and pid_max; or there is no memory for"
                + " the thread's stack: look at ulimit -v and -Xss",
            e);
  }
}
