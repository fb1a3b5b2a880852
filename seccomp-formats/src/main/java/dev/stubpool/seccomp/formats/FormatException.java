package dev.stubpool.seccomp.formats;

/** A text is not what its format wants. The message begins with file, line and column. */
public final class FormatException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /** Where, in plain values: a record would have to be serializable. */
  private final String file;

  private final int line;
  private final int column;

  FormatException(Location location, String message) {
    super(location + ": " + message);
    file = location.file();
    line = location.line();
    column = location.column();
  }

  /**
   * Where the text is wrong.
   *
   * @return the place
   */
  public Location location() {
    return new Location(file, line, column);
  }
}
