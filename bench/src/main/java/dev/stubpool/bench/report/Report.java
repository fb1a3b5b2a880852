package dev.stubpool.bench.report;

import dev.stubpool.bench.report.Charts.Chart;
import dev.stubpool.bench.report.Samples.Side;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The texts of the reports, in Markdown. */
final class Report {
  /** The sections that other programs write into the same file, which are its last. */
  private static final Pattern OTHERS = Pattern.compile("^# (Programs|Proof)$", Pattern.MULTILINE);

  private static final String EXPLANATION =
      """
      Times are in microseconds, those of `retouch` in microseconds per MiB. Each figure is the median, over the
      rounds, of one run's p50. In every round the floor and Java run one right after the other; each is first in
      every other round. *Ratio* is that of the two medians, *of the rounds* the least and the greatest ratio of a
      single round: where these lie far apart, repeat the run on a quieter machine. Compare ratios, and only
      within one run: times drift by a fifth and more. `floor/README.md` says what a row of the floor times; the
      javadoc of each benchmark says what the row of Java times.

      * `create`, `acquire_close` and the rows named `_across` are measured on a thread that is not the tracer.
        They contain the hand-overs between the two threads, which their floor does not have.
      * `acquire_` and `source_birth_` have no floor.
      * `recycle_N` has N touched pages on each side of the image; `spawn_child_N` and `map_again_N` have N in all.
        `spawn_retouch_N` is what a guest takes to write them again after its stub was copied.
      * `lease_1` is the mean time of a cycle, for Java the inverse of its throughput.
      * `guest_run` and `guest_lease` are measured on a thread that is neither of the two tracers.
        `guest_syscall_N` is the mean time of a call when N guests of one stub make calls at once.
      * `acquire_contended_N` is the time that one pair of acquire and release takes one of N threads: the
        median, and, named `_mean`, the mean, in which waiting for the others counts.
      * The floor of `compile_` is libseccomp with a binary tree; `_cold` is the first filter of a process.
      * The floor of `source_clone_` copies only the page tables of what stands for the heap. A JVM has other
        memory too: read the time, not the ratio.

      A row without a gate is there to be read; it cannot fail.
      """;

  private Report() {}

  /**
   * The report of a run beside the floors.
   *
   * @param charts the folder of the charts, as seen from the report
   */
  static String besideFloors(
      Conditions conditions,
      List<Result> results,
      List<Chart> drawn,
      String charts,
      Samples samples) {
    StringBuilder text = new StringBuilder("# Results\n\n").append(conditions.describe());
    if (!results.isEmpty()) {
      text.append('\n').append(table(results, "floor p50", "Java p50", "ratio"));
      for (Chart chart : drawn) {
        text.append("\n![%s](%s/%s.svg)\n".formatted(chart.title(), charts, chart.name()));
      }
      text.append('\n').append(EXPLANATION);
    }
    return text.append(peers(samples)).toString();
  }

  /** The report of a run beside another checkout. */
  static String against(Conditions conditions, String other, List<Result> results) {
    return """
    # This checkout beside another

    The other is commit %s.

    %s
    %s
    Times are in microseconds; each is the median of the rounds. In every round both checkouts run one right
    after the other, a row at a time, and each is first in every other round. The ratio is this checkout's time
    to the other's: the median of the ratios of the single rounds, whose least and greatest are beside it.
    """
        .formatted(
            other, conditions.describe(), table(results, "other p50", "this p50", "this / other"));
  }

  private static String table(List<Result> results, String reference, String time, String ratio) {
    StringBuilder text =
        new StringBuilder(
            """
            | row | %s | %s | %s | of the rounds | gate | |
            | --- | ---: | ---: | ---: | ---: | ---: | --- |
            """
                .formatted(reference, time, ratio));
    for (Result result : results) {
      text.append(
          "| %s | %s | %s | %s | %s | %s | %s |\n"
              .formatted(
                  result.row(),
                  Numbers.show(result.reference()),
                  Numbers.show(result.time()),
                  Numbers.ratio(result.ratio()),
                  result.range(),
                  result.gate().map(Gate::text).orElse(""),
                  emphasised(result)));
    }
    return text.toString();
  }

  /** A gate's outcome; a missed one stands out. */
  static String emphasised(Result result) {
    return result.missed() ? "**" + result.verdict() + "**" : result.verdict();
  }

  private static String peers(Samples samples) {
    StringBuilder rows = new StringBuilder();
    for (String row : samples.rows(Side.PEER_PINNED, Side.PEER_UNPINNED)) {
      rows.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s |%n",
              row,
              median(samples, Side.PEER_PINNED, row),
              median(samples, Side.PEER_UNPINNED, row)));
    }
    return rows.isEmpty()
        ? ""
        : """

        # Peers

        | row | pinned p50 | not pinned p50 |
        | --- | ---: | ---: |
        %s
        gVisor's platforms on the same work, in microseconds; medians over the rounds, too. Pinned is
        everything on one CPU. `peers/gvisor/README.md` says what a row times and which row above is its like.
        """
            .formatted(rows);
  }

  private static String median(Samples samples, Side side, String row) {
    return Numbers.show(Numbers.median(samples.figures(side, row, Figure.P50)));
  }

  /** A new report, with the sections of other programs that an earlier one has. */
  static String withSectionsOf(String earlier, String report) {
    Matcher others = OTHERS.matcher(earlier);
    return others.find() ? report + "\n" + earlier.substring(others.start()) : report;
  }
}
