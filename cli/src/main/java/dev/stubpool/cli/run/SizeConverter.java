package dev.stubpool.cli.run;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parses a number of bytes, optionally with K, M, G or T for powers of 1,024. */
final class SizeConverter implements ITypeConverter<Long> {
  private static final String UNITS = "KMGT";
  private static final int UNIT_BITS = 10;

  @Override
  public Long convert(String value) {
    String digits = value.toUpperCase(Locale.ROOT).replaceFirst("[KMGT]$", "");
    int unit = digits.length() == value.length() ? 0 : 1 + UNITS.indexOf(last(value));
    try {
      long number = Long.parseLong(digits);
      if (number > 0 && number <= Long.MAX_VALUE >> (unit * UNIT_BITS)) {
        return number << (unit * UNIT_BITS);
      }
    } catch (NumberFormatException _) {
      // reported below, like a value out of range
    }
    throw new TypeConversionException(
        "'"
            + value
            + "' is not a size: expected a positive number, optionally with K, M, G or T, such as"
            + " 512M");
  }

  private static char last(String value) {
    return Character.toUpperCase(value.charAt(value.length() - 1));
  }
}
