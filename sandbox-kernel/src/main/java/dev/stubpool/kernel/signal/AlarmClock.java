package dev.stubpool.kernel.signal;

/** Schedules actions. All methods and actions run under the kernel's lock. */
public interface AlarmClock {
  /** The current time, by {@link System#nanoTime}. */
  long now();

  /** Schedules an action for a time; one in the past runs at once. */
  Alarm at(long time, Runnable action);

  /** A scheduled action. */
  @FunctionalInterface
  interface Alarm {
    /** Cancels it; no effect if it has run. */
    void cancel();
  }
}
