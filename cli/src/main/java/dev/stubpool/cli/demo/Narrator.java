package dev.stubpool.cli.demo;

import java.io.PrintWriter;

/** Tells people what the demo does: one aligned line a step, at once. */
final class Narrator {
  static final String INDENT = "          ";

  private final PrintWriter out;

  Narrator(PrintWriter out) {
    this.out = out;
  }

  /** A step that is done: its name, what happened, and more lines below. */
  void step(String name, String text, String... more) {
    out.printf("%-" + INDENT.length() + "s%s%n", name, text);
    for (String line : more) {
      out.println(INDENT + line);
    }
    out.flush();
  }

  /** The last line. */
  void last(String text) {
    out.println(text);
    out.flush();
  }
}
