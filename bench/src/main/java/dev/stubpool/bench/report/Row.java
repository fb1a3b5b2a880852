package dev.stubpool.bench.report;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.openjdk.jmh.annotations.Mode;

/**
 * A row of the report, written beside what it measures: a benchmark method of JMH, or the {@code
 * main} method of a {@link Program}.
 *
 * <p>{@link #params} and {@link #threads} may have several values: there is a row for each. In
 * {@link #name}, {@link #floor} and {@link Program#arguments}, <code>{x}</code> stands for the
 * value of the parameter {@code x}, and <code>{threads}</code> for the number of threads.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Repeatable(Row.All.class)
public @interface Row {
  /** The group that measures this row. */
  Group group();

  /** The row's name, unique in the report. */
  String name();

  /** The row of the C floor that this one is compared with; empty if there is none. */
  String floor() default "";

  /** The greatest ratio to the floor that passes; 0 if there is no such gate. */
  double gate() default 0;

  /** The longest time that passes, in microseconds; 0 if there is no such gate. */
  double gateMicros() default 0;

  /** Parameters, each as {@code name=value,value}. Given to JMH as its option {@code -p}. */
  String[] params() default {};

  /** Numbers of threads, JMH's option {@code -t}. */
  int[] threads() default {1};

  /** JMH's mode: a throughput is reported as the mean time that one operation takes. */
  Mode mode() default Mode.SampleTime;

  /** JMH's number of warm-up iterations; 0 for that of all others. */
  int warmups() default 0;

  /** What is reported of all the times measured in one run. */
  Figure figure() default Figure.P50;

  /** What is reported of the floor. */
  Figure floorFigure() default Figure.P50;

  /**
   * A file that the row needs, its path beginning with the name of an environment variable; where
   * it is missing, the row is left out. Empty if none is needed.
   */
  String needs() default "";

  /** The container of several rows of one method. */
  @Documented
  @Target(ElementType.METHOD)
  @Retention(RetentionPolicy.RUNTIME)
  @interface All {
    /** The rows. */
    Row[] value();
  }
}
