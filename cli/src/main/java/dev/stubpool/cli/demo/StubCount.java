package dev.stubpool.cli.demo;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parses the number of stubs, within the demo's limits. */
final class StubCount implements ITypeConverter<Integer> {
  static final int MOST = 20_000;

  @Override
  public Integer convert(String value) {
    try {
      int count = Integer.parseInt(value);
      if (count >= 1 && count <= MOST) {
        return count;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    throw new TypeConversionException("'" + value + "' is not a number from 1 to " + MOST);
  }
}
