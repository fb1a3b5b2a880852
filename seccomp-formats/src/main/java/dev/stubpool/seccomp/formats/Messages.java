package dev.stubpool.seccomp.formats;

/** Words from the text in messages. */
final class Messages {
  private static final int LONG = 40;

  private Messages() {}

  /** A word as it may stand in one line: not too long, without control characters. */
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
