package dev.stubpool.cli.inspect;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parses a process id: a positive int. */
final class PidConverter implements ITypeConverter<Integer> {
  @Override
  public Integer convert(String value) {
    try {
      int pid = Integer.parseInt(value);
      if (pid > 0) {
        return pid;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    throw new TypeConversionException("'" + value + "' is not a process id");
  }
}
