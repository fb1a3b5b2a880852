package dev.stubpool;

import dev.stubpool.diagnose.Failures;
import org.jspecify.annotations.Nullable;

/**
 * The superclass of all exceptions of this library except {@link LeaseClosedException}, which is an
 * {@link IllegalStateException}. Unchecked: an application catches the subtypes that it can handle.
 */
public class StubPoolException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  static {
    Failures.register(new ExceptionFactory());
  }

  StubPoolException(String message) {
    super(message);
  }

  StubPoolException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
