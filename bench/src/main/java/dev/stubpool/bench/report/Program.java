package dev.stubpool.bench.report;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * How the report starts a {@code main} method whose rows JMH cannot measure. The program prints a
 * JSON object for each row, as the floors do.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface Program {
  /**
   * The program's arguments. <code>{samples}</code>, <code>{samples/10}</code> and <code>{clones}
   * </code> stand for the counts of the run, other names as in {@link Row}.
   */
  String[] arguments();

  /** Options for the JVM. */
  String[] jvm() default {};
}
