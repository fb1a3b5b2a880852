package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.support.Orphans;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Everything at once, in a JVM of its own: {@link Chaos}. What it leaves behind becomes this JVM's.
 */
class ChaosIT {
  private static final Duration BOUND = Duration.ofSeconds(10);

  /** Of a failure's output the end matters: threads and counts. */
  private static final int MOST_OUTPUT = 40_000;

  @BeforeAll
  static void adoptOrphans() {
    Orphans.adopt();
  }

  @AfterAll
  static void disownOrphans() {
    Orphans.disown();
  }

  @Test
  void shouldStayRightInChaos() {
    int seconds = Effort.cases(10, 120);
    long seed = Long.getLong("stubpool.seed", new Random().nextLong());
    System.out.println("ChaosIT: seed " + seed + ", " + seconds + " s");
    Set<Integer> before = Proc.children();
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            ChildJvm.command(
                List.of(
                    "--enable-native-access=ALL-UNNAMED",
                    "-Xmx256m",
                    "-XX:TieredStopAtLevel=" + (Effort.isProof() ? 4 : 1)),
                ChildJvm.classPath(Chaos.class),
                Chaos.class,
                Long.toString(seed),
                Integer.toString(seconds)),
            Duration.ofSeconds(2L * seconds + 300));
    String output = outcome.output();
    String end = output.substring(Math.max(0, output.length() - MOST_OUTPUT));
    if (Effort.isProof()) {
      output.lines().filter(line -> line.startsWith("chaos: ")).forEach(System.out::println);
    }
    assertThat(outcome.status()).as("seed %d\n%s", seed, end).isZero();
    assertThat(output.lines().filter(line -> line.contains(" ERROR ")))
        .as("what the pool logs as an error, seed %d", seed)
        .isEmpty();
    assertThat(output).contains("chaos: all is well");
    assertThat(Orphans.awaitNone(before, BOUND)).isEmpty();
  }
}
