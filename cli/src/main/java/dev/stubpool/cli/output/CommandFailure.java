package dev.stubpool.cli.output;

/**
 * A command could not do what it was told to: its message is all that the user needs. Exit status
 * 1.
 */
public final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A failure that was found here. */
  public CommandFailure(String message) {
    super(message);
  }

  /** A failure with a cause that only {@code --debug} shows. */
  public CommandFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
