package dev.stubpool.kernel.fs;

import java.time.Instant;
import java.util.Optional;

/**
 * Times that a file is to have, utimensat(2).
 *
 * @param accessed empty for the one it has
 * @param modified empty for the one it has
 * @param areNow whether no time was said: who may write the file may say so much
 */
public record FileTimes(Optional<Instant> accessed, Optional<Instant> modified, boolean areNow) {
  /** The present time. */
  public static FileTimes now() {
    Instant now = Instant.now();
    return new FileTimes(Optional.of(now), Optional.of(now), true);
  }
}
