package dev.stubpool.cli;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** What only root can test. */
public final class Privileges {
  /**
   * A command that runs another without capabilities: then the kernel does not let it look into a
   * JVM that has some, even of the same user.
   */
  public static final List<String> WITHOUT_CAPABILITIES =
      List.of("setpriv", "--inh-caps=-all", "--bounding-set=-all");

  private Privileges() {}

  /** Skips the test for who is not root. */
  public static void assumeRoot() {
    Assumptions.assumeTrue(Kernel.call(Abi.SYS_geteuid) == 0, "needs root");
  }
}
