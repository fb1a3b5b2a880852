package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Timespec;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.sync.Sleeper;
import java.time.Duration;

/**
 * The deadline of a waiting call.
 *
 * @param deadline by {@link System#nanoTime}, or {@link Sleeper#NEVER}
 */
record Timeout(long deadline) {
  static final Timeout NEVER = new Timeout(Sleeper.NEVER);

  /** A timeout that starts now; a restarted call keeps its former deadline. */
  static Timeout of(Task task, Duration time) {
    return new Timeout(task.deadlineIn(time));
  }

  /** A timeout in milliseconds as of poll(2): negative for never. */
  static Timeout ofMillis(Task task, int millis) {
    return millis < 0 ? NEVER : of(task, Duration.ofMillis(millis));
  }

  /** Reads a timeout from a {@code struct timespec}; never if the address is null. */
  static Timeout read(Task task, long address) {
    return address == 0
        ? NEVER
        : of(task, Timespec.parse(task.memory().read(address, Timespec.SIZE)));
  }

  /** The remaining time. */
  Duration left() {
    return Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
  }
}
