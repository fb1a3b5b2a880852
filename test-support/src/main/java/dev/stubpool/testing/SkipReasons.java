package dev.stubpool.testing;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Prints why a test, or a whole class, did not run: Surefire's console only counts them, and leaves
 * out a class that {@code @BeforeAll} aborted.
 */
public final class SkipReasons implements TestExecutionListener {
  /** Called by the service loader. */
  public SkipReasons() {}

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    print(test, reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (result.getStatus() == Status.ABORTED) {
      print(test, result.getThrowable().map(Throwable::getMessage).orElse("no reason given"));
    }
  }

  private static void print(TestIdentifier test, String reason) {
    String name =
        switch (test.getSource().orElse(null)) {
          case MethodSource source -> source.getClassName() + "." + test.getLegacyReportingName();
          case null, default -> test.getLegacyReportingName();
        };
    System.out.println("[SKIPPED] " + name + ": " + reason);
  }
}
