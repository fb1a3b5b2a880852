package dev.stubpool.cli.output;

/** The failure of a command, with exit status 1. Its message is complete for the user. */
public final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates a failure without a cause. */
  public CommandFailure(String message) {
    super(message);
  }

  /** Creates a failure with a cause, which only {@code --debug} shows. */
  public CommandFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
