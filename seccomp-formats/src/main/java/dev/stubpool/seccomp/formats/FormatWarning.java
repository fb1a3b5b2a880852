package dev.stubpool.seccomp.formats;

/**
 * A warning about a part of a text that has no effect, or perhaps an unintended one.
 *
 * @param location the location of that part
 * @param message the description
 */
public record FormatWarning(Location location, String message) {

  /**
   * Formats the warning as compilers do.
   *
   * @return file, line, column and message
   */
  @Override
  public String toString() {
    return location + ": warning: " + message;
  }
}
