package dev.stubpool;

/**
 * What every exception of this library is. Unchecked: callers that can go on know which subtype
 * they wait for.
 */
public class StubPoolException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes one with a message for the user. */
  public StubPoolException(String message) {
    super(message);
  }

  /** Makes one with a message for the user and what caused it. */
  public StubPoolException(String message, Throwable cause) {
    super(message, cause);
  }
}
