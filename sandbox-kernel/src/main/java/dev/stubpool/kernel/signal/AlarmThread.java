package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.sync.KernelLock;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The clock of a sandbox: a thread that is started by the first alarm. Guarded by the kernel's
 * lock.
 */
public final class AlarmThread implements AlarmClock, AutoCloseable {
  private final KernelLock lock;
  private final Consumer<RuntimeException> failed;
  private ScheduledThreadPoolExecutor thread;
  private boolean closed;

  /**
   * Creates the clock, with no thread yet.
   *
   * @param failed receives exceptions thrown by actions
   */
  public AlarmThread(KernelLock lock, Consumer<RuntimeException> failed) {
    this.lock = lock;
    this.failed = failed;
  }

  @Override
  public long now() {
    return System.nanoTime();
  }

  @Override
  public Alarm at(long time, Runnable action) {
    if (closed) {
      return () -> {};
    }
    Entry entry = new Entry(action);
    entry.future =
        thread().schedule(() -> lock.with(entry), Math.max(0, time - now()), TimeUnit.NANOSECONDS);
    return entry;
  }

  private ScheduledThreadPoolExecutor thread() {
    if (thread == null) {
      thread =
          new ScheduledThreadPoolExecutor(
              1, Thread.ofPlatform().daemon().name("stubpool-alarms").factory());
      thread.setRemoveOnCancelPolicy(true);
    }
    return thread;
  }

  /** Ends the thread; no further action runs. */
  @Override
  public void close() {
    closed = true;
    if (thread != null) {
      var _ = thread.shutdownNow();
    }
  }

  private final class Entry implements Alarm, Runnable {
    private final Runnable action;
    private Future<?> future;
    private boolean cancelled;

    Entry(Runnable action) {
      this.action = action;
    }

    @Override
    public void run() {
      if (cancelled || closed) {
        return; // closed while it waited for the lock
      }
      try {
        action.run();
      } catch (RuntimeException e) {
        failed.accept(e);
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
      boolean _ = future.cancel(false);
    }
  }
}
