package dev.stubpool.seccomp.formats;

/**
 * A location in a text.
 *
 * @param file the name of the text, such as its path
 * @param line the line, from 1
 * @param column the column in UTF-16 units, from 1
 */
public record Location(String file, int line, int column) {

  /**
   * Formats the location as compilers do.
   *
   * @return such as {@code profile.json:12:7}
   */
  @Override
  public String toString() {
    return file + ":" + line + ":" + column;
  }
}
