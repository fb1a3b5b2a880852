package dev.stubpool.bench.report;

import java.io.Serial;

/** The run failed; the message says what, and what to do. */
final class BenchException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  BenchException(String message) {
    super(message);
  }

  BenchException(String message, Throwable cause) {
    super(message, cause);
  }
}
