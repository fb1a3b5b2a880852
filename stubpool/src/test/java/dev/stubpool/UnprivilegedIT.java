package dev.stubpool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.stubpool.forge.FilterIT;
import dev.stubpool.forge.InjectionIT;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.image.StubImage;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** The tests of what stubs do, run once more by a user without privileges. */
class UnprivilegedIT {
  @Test
  void shouldWorkWithoutPrivileges() {
    String output = Unprivileged.run("unprivileged", List.of(), Suite.class);
    assertThat(output).contains("user 65534").containsPattern("tests: [1-9]\\d+ failures: 0\n");
  }

  /** Runs the tests. */
  static final class Suite {
    public static void main(String[] arguments) {
      StubImage.get();
      System.out.println("user " + Kernel.call(Abi.SYS_geteuid));
      SummaryGeneratingListener summary = new SummaryGeneratingListener();
      Launcher launcher = LauncherFactory.create();
      launcher.execute(
          LauncherDiscoveryRequestBuilder.request()
              .selectors(
                  selectClass(StubIT.class),
                  selectClass(IdleStubIT.class),
                  selectClass(RecycledStubIT.class),
                  selectClass(FilterIT.class),
                  selectClass(InjectionIT.class))
              .build(),
          summary);
      summary
          .getSummary()
          .printFailuresTo(new PrintWriter(new OutputStreamWriter(System.out, UTF_8), true));
      System.out.println(
          "tests: "
              + summary.getSummary().getTestsSucceededCount()
              + " failures: "
              + summary.getSummary().getTotalFailureCount());
    }
  }
}
