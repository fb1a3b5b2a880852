package dev.stubpool.cli.output;

/** Makes foreign text, such as a name or a path, safe for a terminal. */
public final class Printable {
  private Printable() {}

  /** The text, with control characters replaced by question marks. */
  public static String of(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "?");
  }
}
