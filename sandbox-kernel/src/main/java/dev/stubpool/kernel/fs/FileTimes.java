package dev.stubpool.kernel.fs;

import java.time.Instant;
import java.util.Optional;

/**
 * New times for a file, utimensat(2).
 *
 * @param accessed the access time; empty to leave it unchanged
 * @param modified the modification time; empty to leave it unchanged
 * @param areNow whether both are the current time, for which write permission suffices
 */
public record FileTimes(Optional<Instant> accessed, Optional<Instant> modified, boolean areNow) {
  /** The present time. */
  public static FileTimes now() {
    Instant now = Instant.now();
    return new FileTimes(Optional.of(now), Optional.of(now), true);
  }
}
