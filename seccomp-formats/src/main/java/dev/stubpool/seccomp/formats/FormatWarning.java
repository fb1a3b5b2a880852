package dev.stubpool.seccomp.formats;

/**
 * Something in a text that has no effect, or perhaps another one than was meant.
 *
 * @param location where
 * @param message what
 */
public record FormatWarning(Location location, String message) {

  /**
   * The warning as compilers print it.
   *
   * @return file, line, column and message
   */
  @Override
  public String toString() {
    return location + ": warning: " + message;
  }
}
