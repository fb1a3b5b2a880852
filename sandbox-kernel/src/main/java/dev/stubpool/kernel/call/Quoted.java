package dev.stubpool.kernel.call;

/** Formats bytes as a C string, safe for a terminal. */
final class Quoted {
  private Quoted() {}

  /**
   * Formats bytes.
   *
   * @param more whether the data was truncated
   */
  static String of(byte[] bytes, int size, boolean more) {
    StringBuilder text = new StringBuilder("\"");
    for (int i = 0; i < size; i++) {
      int next = i + 1 < size ? bytes[i + 1] : 0;
      text.append(escaped(bytes[i] & 0xff, next >= '0' && next <= '7'));
    }
    return text.append(more ? "\"..." : "\"").toString();
  }

  /** An octal escape, as short as possible unless a digit follows. */
  private static String escaped(int b, boolean digitFollows) {
    return switch (b) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\t' -> "\\t";
      case '\r' -> "\\r";
      case '\f' -> "\\f";
      case 0x0b -> "\\v";
      default -> {
        if (b >= ' ' && b < 0x7f) {
          yield Character.toString(b);
        }
        yield digitFollows ? "\\%03o".formatted(b) : "\\%o".formatted(b);
      }
    };
  }
}
