package dev.stubpool.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/** What a command printed in this JVM, and its exit status. */
public record Outcome(int status, String out, String err) {
  /** Runs a command. */
  public static Outcome of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    return new Outcome(status, out.toString(), err.toString());
  }
}
