package dev.stubpool.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.cli.JsonText;
import dev.stubpool.cli.Outcome;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MapsIT {
  private static StubPool pool;

  @BeforeAll
  static void open() {
    pool = StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(2).build());
  }

  @AfterAll
  static void close() {
    pool.close();
  }

  @Test
  void shouldShowTheMappingsOfALivingStub() {
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(0x10_0000, 0x2000, Protection.READ_WRITE);

      Outcome outcome = maps(stub.pid());

      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.status()).isZero();
      assertThat(outcome.out().lines().findFirst().orElseThrow())
          .startsWith("pid " + stub.pid() + "  stubpool-stub  ")
          .contains("tracer ", "  parent " + ProcessHandle.current().pid() + " (");
      assertThat(outcome.out())
          .contains("000000100000-000000102000  rw-p        8 kB  guest\n")
          .contains("image text\n")
          .doesNotContain("pid page", "no stub image");
    }
  }

  @Test
  void shouldShowThePidPageOfTheSource() {
    Outcome outcome = maps(pool.sourcePid());

    assertThat(outcome.out()).contains("pid page (source)\n").doesNotContain("guest");
  }

  @Test
  void shouldPrintJson() throws IOException {
    try (Stub stub = pool.acquire()) {
      Outcome outcome = Outcome.of("maps", "--json", Integer.toString(stub.pid()));

      Map<String, String> values = JsonText.values(outcome.out());
      assertThat(values)
          .containsEntry("/pid", Integer.toString(stub.pid()))
          .containsEntry("/comm", "stubpool-stub")
          .containsEntry("/parent_pid", Long.toString(ProcessHandle.current().pid()))
          .containsEntry(
              "/mappings/0/start", "0x" + Long.toHexString(pool.addressSpace().imageStart()))
          .containsEntry("/mappings/0/permissions", "r-xs")
          .containsEntry("/mappings/0/purpose", "image text");
      assertThat(values.get("/tracer_pid")).isNotEqualTo("0");
    }
  }

  @Test
  void shouldRefuseAProcessThatIsNoStub() throws IOException {
    long self = ProcessHandle.current().pid();
    Outcome outcome = maps((int) self);

    assertThat(outcome.err())
        .startsWith("stubpool: process " + self + " (")
        .endsWith(") is not a stub\n")
        .hasLineCount(1);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.status()).isEqualTo(1);
    assertThat(maps(1).err()).startsWith("stubpool: process 1 (").endsWith(") is not a stub\n");
  }

  @Test
  void shouldSayThatThereIsNoSuchProcess() {
    Outcome outcome = maps(Integer.MAX_VALUE);

    assertThat(outcome.err()).isEqualTo("stubpool: no such process: 2147483647\n");
    assertThat(outcome.status()).isEqualTo(1);
  }

  private static Outcome maps(int pid) {
    return Outcome.of("maps", Integer.toString(pid));
  }
}
