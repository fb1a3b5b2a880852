package dev.stubpool.bench.report;

import java.util.Arrays;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs one benchmark by JMH, which forks a JVM for it, and prints a {@link Line}; JMH's own text
 * goes to standard error. A process of its own, for JMH runs what is on its class path: this way
 * the benchmarks of another checkout are run exactly as those of this one are.
 */
final class RunBenchmark {
  private static final double MEDIAN = 50;

  private RunBenchmark() {}

  /** Takes the benchmark's class and method, then options of JMH's command line. */
  public static void main(String[] arguments) throws RunnerException, CommandLineOptionException {
    String benchmark = arguments[0] + "." + arguments[1];
    Options options =
        new OptionsBuilder()
            .parent(new CommandLineOptions(Arrays.copyOfRange(arguments, 2, arguments.length)))
            .include("^" + Pattern.quote(benchmark) + "$")
            .shouldFailOnError(true)
            .build();
    Runner runner =
        new Runner(
            options, OutputFormatFactory.createFormatInstance(System.err, VerboseMode.NORMAL));
    RunResult run = runner.runSingle();
    System.out.println(line(benchmark, run.getParams().getMode(), run.getPrimaryResult()).toJson());
  }

  /** The times in microseconds; all benchmarks have that unit. */
  static Line line(String benchmark, Mode mode, Result<?> result) {
    return mode == Mode.Throughput
        ? new Line(benchmark, Double.NaN, 1 / result.getScore())
        : new Line(benchmark, result.getStatistics().getPercentile(MEDIAN), result.getScore());
  }
}
