package dev.stubpool.cli.output;

import java.io.PrintWriter;
import java.io.UncheckedIOException;

/** The command's own messages: lines on standard error that start with its name. */
public final class Diagnostics {
  private static final String PREFIX = "stubpool: ";

  private Diagnostics() {}

  /** Prints a message of one or more lines. */
  public static void print(PrintWriter err, String message) {
    message.lines().forEach(line -> err.println(PREFIX + line));
    err.flush();
  }

  /** Describes an exception for users. */
  public static String describe(Throwable e) {
    Throwable told = e instanceof UncheckedIOException ? e.getCause() : e;
    String message = told.getMessage();
    return message == null || message.isBlank() ? told.getClass().getSimpleName() : message;
  }
}
