package dev.stubpool.bench.report;

import java.util.List;

/** One start of a process that measures rows of Java; what a round repeats. */
sealed interface Run {
  /** The simple name of the class, by which it is found in any checkout's jar. */
  String type();

  /**
   * A benchmark method, run by JMH in a JVM of its own.
   *
   * @param method the method's name
   * @param warmups the number of warm-up iterations; 0 for the plan's
   * @param options further options of JMH's command line
   */
  record Benchmark(String type, String method, int warmups, List<String> options) implements Run {
    @Override
    public String toString() {
      return type + "." + method + (options.isEmpty() ? "" : " " + String.join(" ", options));
    }
  }

  /**
   * A program that prints its own {@linkplain Line lines}.
   *
   * @param jvm options of the JVM
   * @param arguments the program's, with the placeholders of {@link Plan#fill}
   */
  record Main(String type, List<String> jvm, List<String> arguments) implements Run {
    @Override
    public String toString() {
      return type + (arguments.isEmpty() ? "" : " " + String.join(" ", arguments));
    }
  }
}
