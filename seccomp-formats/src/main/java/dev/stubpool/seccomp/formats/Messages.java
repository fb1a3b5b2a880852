package dev.stubpool.seccomp.formats;

/** Formats parts of a text for use in messages. */
final class Messages {
  private static final int LONG = 40;

  private Messages() {}

  /** Makes a word fit for one line: shortens it and escapes control characters. */
  static String shorten(String word) {
    StringBuilder out = new StringBuilder();
    word.codePoints()
        .limit(LONG)
        .forEach(
            c -> {
              if (Character.isISOControl(c)) {
                out.append("\\u%04x".formatted(c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return word.codePointCount(0, word.length()) > LONG ? out + "..." : out.toString();
  }
}
