package dev.stubpool.cli.demo;

import java.io.PrintWriter;

/** Prints the demo's progress: one aligned line per step, flushed at once. */
final class Narrator {
  static final String INDENT = "          ";

  private final PrintWriter out;

  Narrator(PrintWriter out) {
    this.out = out;
  }

  /** Prints a completed step: its name, the result, and further lines. */
  void step(String name, String text, String... more) {
    out.printf("%-" + INDENT.length() + "s%s%n", name, text);
    for (String line : more) {
      out.println(INDENT + line);
    }
    out.flush();
  }

  /** Prints the last line. */
  void last(String text) {
    out.println(text);
    out.flush();
  }
}
