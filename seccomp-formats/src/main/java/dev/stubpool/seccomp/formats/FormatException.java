package dev.stubpool.seccomp.formats;

/** Thrown if a text is malformed. The message begins with file, line and column. */
public final class FormatException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /** The location as plain values, because a {@link Location} is not serializable. */
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
   * The location of the error.
   *
   * @return the location
   */
  public Location location() {
    return new Location(file, line, column);
  }
}
