package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.sync.Sleeper;
import java.time.Duration;

/**
 * Until when a call waits.
 *
 * @param deadline by {@link System#nanoTime}, or {@link Sleeper#NEVER}
 */
record Timeout(long deadline) {
  static final Timeout NEVER = new Timeout(Sleeper.NEVER);

  /** A time from now; a call that is made again keeps the deadline that it had. */
  static Timeout of(Task task, Duration time) {
    return new Timeout(task.deadlineIn(time));
  }

  /** Of poll(2) and the like: negative for never. */
  static Timeout ofMillis(Task task, int millis) {
    return millis < 0 ? NEVER : of(task, Duration.ofMillis(millis));
  }

  /** That of a {@code struct timespec}, never if there is none. */
  static Timeout read(Task task, long address) {
    return address == 0
        ? NEVER
        : of(task, Timespec.parse(task.memory().read(address, Timespec.SIZE)));
  }

  /** What is left. */
  Duration left() {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }
}
