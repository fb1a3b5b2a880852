package dev.stubpool.seccomp.bpf;

/** Thrown if a text is not a valid program; has the place and the reason. */
public final class BpfSyntaxException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final int line;
  private final int column;
  private final String reason;

  /**
   * An error at a place.
   *
   * @param line the line, from 1
   * @param column the column in the line, from 1, counted in {@code char}s
   * @param reason what is wrong
   */
  BpfSyntaxException(int line, int column, String reason) {
    super("line %d, column %d: %s".formatted(line, column, reason));
    this.line = line;
    this.column = column;
    this.reason = reason;
  }

  /**
   * The line of the error.
   *
   * @return from 1
   */
  public int line() {
    return line;
  }

  /**
   * The column of the error.
   *
   * @return from 1; a tab counts as one
   */
  public int column() {
    return column;
  }

  /**
   * What is wrong.
   *
   * @return the message without the place
   */
  public String reason() {
    return reason;
  }
}
