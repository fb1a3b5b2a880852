package dev.stubpool.kernel.signal;

/** Has things done at a time. All of it happens under the kernel's lock. */
public interface AlarmClock {
  /** What time it is, by {@link System#nanoTime}. */
  long now();

  /** Has something done at a time, at once if that is over. */
  Alarm at(long time, Runnable action);

  /** Something that is to be done. */
  @FunctionalInterface
  interface Alarm {
    /** It is not to be done any more: if it was, nothing happens. */
    void cancel();
  }
}
