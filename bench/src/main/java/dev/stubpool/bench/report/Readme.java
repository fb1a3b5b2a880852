package dev.stubpool.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The table of figures in README.md, between two comments. README says which rows it shows, in what
 * words and order: {@code | words | `row` | floor | time | ratio |}. The figures are written here.
 */
final class Readme {
  static final String BEGIN = "<!-- The figures of this table are written by bench/run. -->";
  static final String END = "<!-- Here ends what is written by bench/run. -->";

  private static final Pattern ROW = Pattern.compile("^(\\|[^|]*\\| `([a-z0-9_]+)` \\|).*$");

  private final List<String> before;
  private final List<String> table;
  private final List<String> after;

  private Readme(List<String> before, List<String> table, List<String> after) {
    this.before = before;
    this.table = table;
    this.after = after;
  }

  /**
   * Finds the table.
   *
   * @throws BenchException if there is not exactly one
   */
  static Readme parse(String text) {
    List<String> lines = text.lines().toList();
    int begin = lines.indexOf(BEGIN);
    int end = lines.indexOf(END);
    if (begin < 0
        || end < begin
        || begin != lines.lastIndexOf(BEGIN)
        || end != lines.lastIndexOf(END)) {
      throw new BenchException(
          "README.md needs a table between one line " + BEGIN + " and one line " + END);
    }
    return new Readme(
        lines.subList(0, begin + 1),
        lines.subList(begin + 1, end),
        lines.subList(end, lines.size()));
  }

  /** The rows that the table shows. */
  List<String> rows() {
    return table.stream().flatMap(line -> row(line).stream()).map(found -> found.group(2)).toList();
  }

  /**
   * The text with these figures in the table, and the warnings of the run below it.
   *
   * @throws BenchException if a row was not measured
   */
  String with(List<Result> results, List<String> warnings) {
    Map<String, Result> byRow =
        results.stream().collect(Collectors.toMap(Result::row, Function.identity()));
    List<String> lines = new ArrayList<>(before);
    lines.add("");
    for (String line : table) {
      Optional<Matcher> row = row(line);
      if (row.isPresent()) {
        lines.add(row.get().group(1) + figures(byRow.get(row.get().group(2)), line));
      } else if (line.startsWith("|")) {
        lines.add(line); // the head
      }
    }
    for (String warning : warnings) {
      lines.add("");
      lines.add(warning);
    }
    lines.add("");
    lines.addAll(after);
    return String.join("\n", lines) + "\n";
  }

  private static Optional<Matcher> row(String line) {
    Matcher matcher = ROW.matcher(line);
    return matcher.matches() ? Optional.of(matcher) : Optional.empty();
  }

  /** A row whose gate is a time is not compared with a floor. */
  private static String figures(Result result, String line) {
    if (result == null) {
      throw new BenchException("README.md shows a row that was not measured: " + line);
    }
    boolean timeAlone = result.gate().map(Gate::isOfTime).orElse(false);
    String ratio = timeAlone ? "" : Numbers.ratio(result.ratio());
    return " %s | %s | %s |"
        .formatted(
            timeAlone ? "" : Numbers.grouped(result.reference()),
            Numbers.grouped(result.time()),
            result.missed() ? Report.emphasised(result) : ratio);
  }
}
