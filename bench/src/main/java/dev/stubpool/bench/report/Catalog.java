package dev.stubpool.bench.report;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Mode;

/** All rows of the report, by group, and in a group by name. */
final class Catalog {
  private static final Pattern NUMBER_OR_TEXT = Pattern.compile("\\d+|\\D+");
  private static final String MAIN = "main";
  private static final String THREADS = "threads";

  private Catalog() {}

  /**
   * The rows that the methods of these classes have.
   *
   * @throws IllegalArgumentException if an annotation contradicts itself or another
   */
  static List<RowSpec> of(List<Class<?>> classes) {
    List<RowSpec> rows = new ArrayList<>();
    for (Class<?> type : classes) {
      for (Method method : type.getDeclaredMethods()) {
        for (Row row : method.getAnnotationsByType(Row.class)) {
          expand(method, row, rows);
        }
      }
    }
    Set<String> names = new HashSet<>();
    for (RowSpec row : rows) {
      if (!names.add(row.name())) {
        throw new IllegalArgumentException("two rows are named " + row.name());
      }
    }
    rows.sort(Comparator.comparing(RowSpec::group).thenComparing(RowSpec::name, Catalog::natural));
    return List.copyOf(rows);
  }

  /** A row for each combination of values of the parameters and numbers of threads. */
  private static void expand(Method method, Row row, List<RowSpec> rows) {
    List<Map<String, String>> combinations = List.of(Map.of());
    for (String param : row.params()) {
      String[] sides = param.split("=", 2);
      if (sides.length != 2) {
        throw new IllegalArgumentException(row.name() + ": not name=value,value: " + param);
      }
      combinations = times(combinations, sides[0], sides[1].split(","));
    }
    for (Map<String, String> params : combinations) {
      for (int threads : row.threads()) {
        rows.add(spec(method, row, params, threads));
      }
    }
  }

  private static List<Map<String, String>> times(
      List<Map<String, String>> combinations, String name, String[] values) {
    List<Map<String, String>> product = new ArrayList<>();
    for (Map<String, String> combination : combinations) {
      for (String value : values) {
        Map<String, String> more = new LinkedHashMap<>(combination);
        more.put(name, value);
        product.add(more);
      }
    }
    return product;
  }

  private static RowSpec spec(Method method, Row row, Map<String, String> params, int threads) {
    Map<String, String> places = new LinkedHashMap<>(params);
    places.put(THREADS, Integer.toString(threads));
    String name = filled(row.name(), places);
    Optional<Gate> gate = gate(row);
    if (row.gate() != 0 && row.floor().isEmpty()) {
      throw new IllegalArgumentException(name + ": a ratio as gate, and no floor");
    }
    if (row.mode() == Mode.Throughput && row.figure() != Figure.MEAN) {
      throw new IllegalArgumentException(name + ": a throughput has no figure but the mean");
    }
    return new RowSpec(
        name,
        row.group(),
        run(method, row, params, threads),
        row.figure(),
        filled(row.floor(), places),
        row.floorFigure(),
        gate,
        row.needs());
  }

  private static Optional<Gate> gate(Row row) {
    if (row.gate() != 0 && row.gateMicros() != 0) {
      throw new IllegalArgumentException(row.name() + ": two gates");
    }
    if (row.gate() != 0) {
      return Optional.of(Gate.ofRatio(row.gate()));
    }
    return row.gateMicros() == 0 ? Optional.empty() : Optional.of(Gate.ofMicros(row.gateMicros()));
  }

  private static Run run(Method method, Row row, Map<String, String> params, int threads) {
    String type = method.getDeclaringClass().getSimpleName();
    Program program = method.getAnnotation(Program.class);
    if (program != null && method.getName().equals(MAIN)) {
      return new Run.Main(
          type,
          List.of(program.jvm()),
          Arrays.stream(program.arguments()).map(argument -> replaced(argument, params)).toList());
    }
    if (!method.isAnnotationPresent(Benchmark.class)) {
      throw new IllegalArgumentException(
          row.name() + ": neither a benchmark nor the main method of a program: " + method);
    }
    List<String> options = new ArrayList<>();
    params.forEach((param, value) -> options.addAll(List.of("-p", param + "=" + value)));
    if (threads != 1) {
      options.addAll(List.of("-t", Integer.toString(threads)));
    }
    if (row.mode() != Mode.SampleTime) {
      options.addAll(List.of("-bm", row.mode().shortLabel()));
    }
    return new Run.Benchmark(type, method.getName(), row.warmups(), List.copyOf(options));
  }

  private static String filled(String pattern, Map<String, String> places) {
    String text = replaced(pattern, places);
    if (text.contains("{")) {
      throw new IllegalArgumentException("no such parameter: " + text);
    }
    return text;
  }

  private static String replaced(String pattern, Map<String, String> places) {
    String text = pattern;
    for (Map.Entry<String, String> place : places.entrySet()) {
      text = text.replace("{" + place.getKey() + "}", place.getValue());
    }
    return text;
  }

  /** Compares numbers in names by their values. */
  static int natural(String left, String right) {
    List<String> one = NUMBER_OR_TEXT.matcher(left).results().map(MatchResult::group).toList();
    List<String> other = NUMBER_OR_TEXT.matcher(right).results().map(MatchResult::group).toList();
    for (int i = 0; i < Math.min(one.size(), other.size()); i++) {
      int order = compareParts(one.get(i), other.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(one.size(), other.size());
  }

  private static int compareParts(String one, String other) {
    return Character.isDigit(one.charAt(0)) && Character.isDigit(other.charAt(0))
        ? Integer.compare(Integer.parseInt(one), Integer.parseInt(other))
        : one.compareTo(other);
  }
}
