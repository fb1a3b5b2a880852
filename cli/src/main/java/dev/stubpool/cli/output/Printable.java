package dev.stubpool.cli.output;

/** Text of others, such as a name or a path, made fit for a terminal. */
public final class Printable {
  private Printable() {}

  /** The text with a question mark for whatever a terminal would obey instead of show. */
  public static String of(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "?");
  }
}
