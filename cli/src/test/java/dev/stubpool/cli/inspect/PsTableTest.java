package dev.stubpool.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.pools.JvmStubs;
import dev.stubpool.cli.pools.LivePool;
import dev.stubpool.cli.pools.PooledStub;
import dev.stubpool.cli.pools.UnpublishedStub;
import dev.stubpool.lease.PublishedPool;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PsTableTest {
  @Test
  void shouldPrintALineAStub() {
    LivePool pool =
        new LivePool(
            new PublishedPool("my\u001bpool", 7, 8, 183, 3, 1, 1024, List.of()),
            990,
            Optional.of(stub(1000, "source", Optional.of(Duration.ofHours(5)), Optional.empty())),
            List.of(
                stub(1001, "leased", Optional.of(Duration.ofSeconds(250)), Optional.of(12L)),
                stub(999, "resetting", Optional.empty(), Optional.of(3L))));
    JvmStubs published = new JvmStubs(990, List.of(pool), List.of(), false, 0);
    JvmStubs dark =
        new JvmStubs(
            20000,
            List.of(),
            List.of(
                new UnpublishedStub(process(20010, 't', 20000), 20001),
                new UnpublishedStub(process(20011, 'R', 20000), 0),
                new UnpublishedStub(process(20012, 'Z', 20000), 0)),
            true,
            0);

    assertThat(print(List.of(published, dark)))
        .isEqualTo(
            """
              PID   JVM STATE       FOR LEASE S RSS THREADS POOL
             1000   990 source    5h00m     - t  20       1 my?pool
             1001   990 leased    4m10s    12 t  20       1 my?pool
              999   990 resetting     -     3 t  20       1 my?pool
            20010 20000 -             -     - t  20       1 -
            20011 20000 untraced      -     - R  20       1 -
            20012 20000 -             -     - Z  20       1 -
            """);
  }

  @Test
  void shouldPrintAHeaderWhereThereIsNone() {
    assertThat(print(List.of())).isEqualTo("PID JVM STATE FOR LEASE S RSS THREADS POOL\n");
  }

  private static String print(List<JvmStubs> jvms) {
    StringWriter text = new StringWriter();
    PsTable.print(new PrintWriter(text), jvms);
    return text.toString();
  }

  private static PooledStub stub(
      int pid, String state, Optional<Duration> since, Optional<Long> lease) {
    return new PooledStub(process(pid, 't', 990), state, since, lease);
  }

  private static ProcessStatus process(int pid, char state, int parent) {
    return new ProcessStatus(pid, "stubpool-stub", state, parent, 0, 1, 4711, 5);
  }
}
