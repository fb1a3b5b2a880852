package dev.stubpool.cli.bpf;

import java.util.Optional;
import java.util.regex.Pattern;

/** Parses numbers in user input: decimal, or hexadecimal with 0x. */
final class Numbers {
  private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,20}");
  private static final Pattern HEXADECIMAL = Pattern.compile("0[xX][0-9a-fA-F]{1,16}");

  private Numbers() {}

  /** Parses a number from -2^63 to 2^64-1 to 64 bits. */
  static Optional<Long> parse64(String text) {
    try {
      if (HEXADECIMAL.matcher(text).matches()) {
        return Optional.of(Long.parseUnsignedLong(text, 2, text.length(), 16));
      }
      if (DECIMAL.matcher(text).matches()) {
        return Optional.of(
            text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text));
      }
      return Optional.empty();
    } catch (NumberFormatException _) {
      return Optional.empty(); // too great
    }
  }

  /** Parses a number from -2^31 to 2^32-1 to 32 bits. */
  static Optional<Integer> parse32(String text) {
    return parse64(text)
        .filter(
            value -> text.startsWith("-") ? value == value.intValue() : value >>> Integer.SIZE == 0)
        .map(Long::intValue);
  }
}
