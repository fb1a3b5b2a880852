package dev.stubpool.bench.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The charts of a report. */
final class Charts {
  private static final int[] THREADS = {1, 2, 4, 8, 16};
  private static final int[] PAGE_TICKS = {0, 2, 16, 64, 256, 1024, 2560};
  private static final double MOST_PAGES = 2560;

  /**
   * A line of the chart of pages.
   *
   * @param rows the begin of its rows' names, which end in a number of pages
   * @param number of its colour
   * @param sides of the image that have so many pages each
   * @param pages the numbers
   */
  private record Way(String rows, int number, int sides, List<Integer> pages) {
    static final List<Way> ALL =
        List.of(
            new Way("recycle", 1, 2, List.of(1, 32, 512)),
            new Way("spawn_child", 2, 1, List.of(0, 256, 2560)),
            new Way("map_again", 3, 1, List.of(256, 2560)));

    String row(int count) {
      return rows + "_" + count;
    }
  }

  /**
   * A chart.
   *
   * @param name of its file, without the ending
   * @param title what it shows
   * @param svg the file
   */
  record Chart(String name, String title, String svg) {}

  private final List<Result> results;
  private final Map<String, Result> byRow;

  private Charts(List<Result> results) {
    this.results = results;
    this.byRow = results.stream().collect(Collectors.toMap(Result::row, Function.identity()));
  }

  /** The charts for which there are results. */
  static List<Chart> of(List<Result> results) {
    Charts charts = new Charts(results);
    List<Chart> drawn = new ArrayList<>();
    charts.compared().ifPresent(drawn::add);
    charts.contended().ifPresent(drawn::add);
    charts.pages().ifPresent(drawn::add);
    return drawn;
  }

  private double time(String row) {
    return byRow.containsKey(row) ? byRow.get(row).time() : Double.NaN;
  }

  private double floor(String row) {
    return byRow.containsKey(row) ? byRow.get(row).reference() : Double.NaN;
  }

  /** All rows that have a floor. */
  private Optional<Chart> compared() {
    List<Result> rows = results.stream().filter(row -> !Double.isNaN(row.ratio())).toList();
    double[] times =
        rows.stream()
            .flatMap(row -> List.of(row.reference(), row.time()).stream())
            .mapToDouble(Double::doubleValue)
            .toArray();
    // Begun below the least value, so that a bar of that has some length.
    return LogScale.of(1.5, times).map(scale -> compared(rows, scale));
  }

  private static Chart compared(List<Result> rows, LogScale scale) {
    String title = "The library beside its C floors";
    int left = 226;
    int width = 370;
    int top = 92;
    int bottom = top + 24 * rows.size();
    Svg svg =
        new Svg(
            908,
            bottom + 34,
            title,
            "Microseconds (retouch: per MiB), logarithmic scale; shorter is better."
                + " A mark on a bar is its gate.");
    svg.rect(left, 60, 12, 8, "f0");
    svg.text(left + 17, 68, "C floor", "");
    svg.rect(left + 80, 60, 12, 8, "f1");
    svg.text(left + 97, 68, "Java", "");
    svg.line(left + 147, 57, left + 147, 71, "gate");
    svg.text(left + 154, 68, "gate", "");
    svg.text(664, 84, "floor", "note right");
    svg.text(724, 84, "Java", "note right");
    svg.text(778, 84, "ratio", "note right");
    svg.text(792, 84, "gate", "note");
    for (int decade : scale.decades()) {
      double x = left + width * scale.at(Math.pow(10, decade));
      svg.line(x, top - 2, x, bottom + 4, "grid");
      svg.text(x, bottom + 19, LogScale.label(decade), "tick mid");
    }
    int y = top;
    for (Result row : rows) {
      svg.text(left - 8, y + 15, row.row(), "right");
      svg.rect(left, y + 3, width * scale.at(row.reference()), 8, "f0");
      svg.rect(left, y + 12, width * scale.at(row.time()), 8, "f1");
      svg.text(664, y + 15, Numbers.grouped(row.reference()), "right");
      svg.text(724, y + 15, Numbers.grouped(row.time()), "right");
      svg.text(778, y + 15, Numbers.ratio(row.ratio()), row.missed() ? "right bad" : "right");
      if (row.gate().isPresent()) {
        Gate gate = row.gate().get();
        double mark = scale.at(gate.isOfTime() ? gate.most() : row.reference() * gate.most());
        if (mark > 0 && mark <= 1) {
          svg.line(left + width * mark, y + 9.5, left + width * mark, y + 22.5, "gate");
        }
        svg.text(
            792,
            y + 15,
            gate.text() + (row.missed() ? ", missed" : ""),
            row.missed() ? "bad" : "note");
      }
      y += 24;
    }
    return new Chart("compared", title, svg.toString());
  }

  /** The area of a chart of lines, with a scale from its bottom to its top. */
  private record Plot(Svg svg, int left, int width, int top, int height, LogScale scale) {
    void grid() {
      for (int decade : scale.decades()) {
        double y = level(Math.pow(10, decade));
        svg.line(left, y, left + width, y, "grid");
        svg.text(left - 8, y + 4, LogScale.label(decade), "tick right");
      }
    }

    double level(double value) {
      return top + height * (1 - scale.at(value));
    }

    int bottom() {
      return top + height;
    }
  }

  private static String contendedRow(int threads, boolean mean) {
    return "acquire_contended_" + threads + (mean ? "_mean" : "");
  }

  private Optional<Chart> contended() {
    double[] times =
        Arrays.stream(THREADS)
            .mapToObj(n -> new double[] {time(contendedRow(n, false)), time(contendedRow(n, true))})
            .flatMapToDouble(Arrays::stream)
            .toArray();
    return LogScale.of(1, times).map(this::contended);
  }

  private Chart contended(LogScale scale) {
    String title = "Acquire and release, by many threads at once";
    Svg svg =
        new Svg(680, 366, title, "Microseconds that one pair takes one thread, logarithmic scale.");
    Plot plot = new Plot(svg, 70, 580, 84, 230, scale);
    plot.grid();
    double step = (double) plot.width() / THREADS.length;
    double first = plot.left() + step / 2;
    for (int i = 0; i < THREADS.length; i++) {
      svg.text(first + step * i, plot.bottom() + 20, Integer.toString(THREADS[i]), "tick mid");
    }
    svg.text(plot.left() + plot.width() / 2.0, plot.bottom() + 38, "threads", "note mid");
    contendedLine(plot, first, step, false);
    contendedLine(plot, first, step, true);
    return new Chart("contended", title, svg.toString());
  }

  private void contendedLine(Plot plot, double first, double step, boolean mean) {
    String number = mean ? "2" : "1";
    List<Double> points = new ArrayList<>();
    for (int i = 0; i < THREADS.length; i++) {
      double time = time(contendedRow(THREADS[i], mean));
      if (!Double.isNaN(time)) {
        double x = first + step * i;
        double y = plot.level(time);
        points.add(x);
        points.add(y);
        plot.svg().dot(x, y, "f" + number);
        plot.svg().text(x, y + (mean ? -9 : 18), Numbers.show(time), "mid");
      }
    }
    if (!points.isEmpty()) {
      plot.svg().path(array(points), "line s" + number);
      plot.svg().rect(plot.left() + (mean ? 92 : 0), 59, 12, 8, "f" + number);
      plot.svg()
          .text(
              plot.left() + (mean ? 109 : 17), 68, mean ? "mean: waiting included" : "median", "");
    }
  }

  /** What each of three ways to a used stub costs, by the number of pages it has touched. */
  private Optional<Chart> pages() {
    List<Double> times = new ArrayList<>();
    for (Way way : Way.ALL) {
      for (int pages : way.pages()) {
        times.add(time(way.row(pages)));
        times.add(floor(way.row(pages)));
      }
    }
    return LogScale.of(1, array(times)).map(this::pages);
  }

  private Chart pages(LogScale scale) {
    String title = "Recycling, copying or filling a stub, by touched pages";
    Svg svg =
        new Svg(
            680,
            426,
            title,
            "Microseconds; both scales logarithmic."
                + " recycle: the pages on both sides of the image together.");
    Plot plot = new Plot(svg, 70, 470, 84, 290, scale);
    plot.grid();
    for (int pages : PAGE_TICKS) {
      double x = across(plot, pages);
      svg.line(x, plot.bottom(), x, plot.bottom() + 5, "grid");
      svg.text(x, plot.bottom() + 20, Integer.toString(pages), "tick mid");
    }
    svg.text(
        plot.left() + plot.width() / 2.0, plot.bottom() + 38, "touched pages of 4 KiB", "note mid");
    svg.line(plot.left(), 64, plot.left() + 26, 64, "line s1");
    svg.text(plot.left() + 32, 68, "Java", "");
    svg.line(plot.left() + 80, 64, plot.left() + 106, 64, "line s1 floor");
    svg.text(plot.left() + 112, 68, "C floor", "");
    for (Way way : Way.ALL) {
      pagesLine(plot, way, true);
      pagesLine(plot, way, false);
    }
    return new Chart("pages", title, svg.toString());
  }

  private void pagesLine(Plot plot, Way way, boolean ofFloor) {
    List<Double> points = new ArrayList<>();
    for (int pages : way.pages()) {
      double time = ofFloor ? floor(way.row(pages)) : time(way.row(pages));
      if (!Double.isNaN(time)) {
        double x = across(plot, pages * way.sides());
        points.add(x);
        points.add(plot.level(time));
        if (!ofFloor) {
          plot.svg().dot(x, plot.level(time), "f" + way.number());
        }
      }
    }
    if (points.isEmpty()) {
      return;
    }
    plot.svg().path(array(points), "line s" + way.number() + (ofFloor ? " floor" : ""));
    if (!ofFloor) {
      double x = points.get(points.size() - 2);
      double y = points.getLast();
      if (x > plot.left() + plot.width() - 1) {
        plot.svg().text(x + 9, y + 4, way.rows(), "f" + way.number());
      } else { // beside it another line may pass
        plot.svg().text(x, y - 10, way.rows(), "right f" + way.number());
      }
    }
  }

  /** Where a number of pages lies; none is a number too. */
  private static double across(Plot plot, int pages) {
    return plot.left() + plot.width() * Math.log(pages + 1) / Math.log(MOST_PAGES + 1);
  }

  private static double[] array(List<Double> numbers) {
    return numbers.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
