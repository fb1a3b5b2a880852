package dev.stubpool.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Under what conditions was measured.
 *
 * @param date when the run began
 * @param command the command line
 * @param commit what was measured
 * @param cpu the CPU that all ran on; empty if nothing was pinned
 * @param loadBefore the load average before
 * @param loadAfter the load average after
 * @param stolen the share of the CPU's time that the hypervisor took away, in percent
 * @param rounds how many
 * @param seconds how long it took
 * @param quick whether it was a run to see whether everything works
 * @param leftOut what could not be measured, and why
 */
record Conditions(
    String date,
    String command,
    String commit,
    String cpu,
    double loadBefore,
    double loadAfter,
    double stolen,
    int rounds,
    long seconds,
    boolean quick,
    List<String> leftOut) {
  /** A machine with more load is busy: figures would be noise. */
  static final double MOST_LOAD = 0.7;

  private static final double MOST_STOLEN = 5;

  /** What a reader has to know before the figures. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    if (loadBefore > MOST_LOAD) {
      warnings.add("**The machine was busy when this run began: its figures are noise.**");
    }
    if (quick) {
      warnings.add("**A quick run, to see whether everything works: its figures are noise.**");
    }
    if (stolen > MOST_STOLEN) {
      warnings.add(
          "**The hypervisor took away more than "
              + Numbers.plain(MOST_STOLEN)
              + " % of the CPU: the figures are noise.**");
    }
    return warnings;
  }

  /** A table of them, and the warnings. */
  String describe() {
    StringBuilder text = new StringBuilder("| | |\n| --- | --- |\n");
    line(text, "date", date);
    line(text, "command", "`" + command + "`");
    line(text, "commit", commit);
    line(text, "kernel", Machine.kernel() + "; transparent huge pages: " + Machine.hugePages());
    line(
        text,
        "CPU",
        "%s, %d CPUs; %s"
            .formatted(
                Machine.cpuModel(),
                Runtime.getRuntime().availableProcessors(),
                cpu.isEmpty() ? "not pinned" : "everything on CPU " + cpu));
    line(
        text,
        "JDK",
        System.getProperty("java.vendor") + " " + System.getProperty("java.runtime.version"));
    line(
        text,
        "load average",
        Numbers.plain(loadBefore)
            + " before, "
            + Numbers.plain(loadAfter)
            + " after (the run itself is about 1)");
    line(text, "time taken by the hypervisor", String.format(Locale.ROOT, "%.1f %%", stolen));
    line(text, "rounds", rounds + ", in " + seconds + " s");
    if (!leftOut.isEmpty()) {
      line(text, "left out", String.join("; ", leftOut));
    }
    warnings().forEach(warning -> text.append('\n').append(warning).append('\n'));
    return text.toString();
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append("| ").append(name).append(" | ").append(value).append(" |\n");
  }
}
