package dev.stubpool.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.cli.ChildCommand;
import dev.stubpool.cli.HeldDemo;
import dev.stubpool.cli.JsonText;
import dev.stubpool.cli.Outcome;
import dev.stubpool.cli.Privileges;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PsIT {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

  @Test
  void shouldListTheStubsOfAnotherJvm() throws IOException {
    try (HeldDemo demo = HeldDemo.start(3)) {
      List<String> lines = Outcome.of("ps").out().lines().toList();

      assertThat(lines.getFirst().split(" +"))
          .containsSubsequence(
              "PID", "JVM", "STATE", "FOR", "LEASE", "S", "RSS", "THREADS", "POOL");
      assertThat(line(lines, demo.source()))
          .matches("\\S+ +%d source .* demo".formatted(demo.jvm()));
      for (int stub : demo.stubs()) {
        assertThat(line(lines, stub))
            .matches("\\S+ +%d leased +[0-9ms.]+ +1 t +\\d+ +1 demo".formatted(demo.jvm()));
      }
    }
  }

  @Test
  void shouldPrintJson() throws IOException {
    try (HeldDemo demo = HeldDemo.start(3)) {
      Outcome outcome = Outcome.of("ps", "--json");

      assertThat(outcome.status()).isZero();
      Map<String, String> values = JsonText.values(outcome.out());
      String pool = pool(values, demo.jvm());
      assertThat(values)
          .containsEntry(pool + "/name", "demo")
          .containsEntry(pool + "/source_pid", Integer.toString(demo.source()))
          .containsEntry(pool + "/max_stubs", "3")
          .containsEntry(pool + "/created", "3")
          .containsEntry(pool + "/died", "0")
          .containsEntry(pool + "/leased", "3")
          .containsEntry(pool + "/idle", "0")
          .containsEntry(pool + "/forging", "0")
          .containsEntry(pool + "/resetting", "0")
          .containsEntry(pool + "/dead", "0")
          .containsEntry(pool + "/stubs/0/kernel_state", "t")
          .containsEntry(pool + "/stubs/0/threads", "1")
          .containsEntry(pool + "/stubs/0/lease", "1");
      assertThat(Integer.parseInt(values.get(pool + "/filter_instructions"))).isPositive();
      assertThat(Integer.parseInt(values.get(pool + "/stubs/2/rss_kb"))).isPositive();
      assertThat(Integer.parseInt(values.get(pool + "/stubs/2/for_ms"))).isNotNegative();
      assertThat(values.entrySet())
          .filteredOn(value -> value.getKey().matches(pool + "/stubs/\\d/pid"))
          .extracting(value -> Integer.valueOf(value.getValue()))
          .isEqualTo(demo.stubs());
    }
  }

  @Test
  void shouldFollowAStubFromLeaseToLease() {
    try (StubPool pool = open("followed")) {
      int pid;
      try (Stub stub = pool.acquire()) {
        pid = stub.pid();
        assertThat(line(pid)).containsPattern(" leased +\\S+ +1 t .* followed$");
      }
      long start = System.nanoTime();
      while (!line(pid).contains(" idle ")) {
        assertThat(System.nanoTime() - start).as("time to recycle").isLessThan(PATIENCE_NANOS);
      }
      try (Stub stub = pool.acquire()) {
        assertThat(stub.pid()).isEqualTo(pid);
        assertThat(line(pid)).containsPattern(" leased +\\S+ +2 t ");
      }
    }
  }

  @Test
  void shouldForgetAPoolThatIsClosed() {
    try (StubPool other = open("open")) {
      StubPool pool = open("closed soon");
      assertThat(Outcome.of("ps", "--json").out()).contains("\"open\"", "\"closed soon\"");

      pool.close();

      assertThat(Outcome.of("ps", "--json").out())
          .contains("\"" + other.name() + "\"")
          .doesNotContain("closed soon");
    }
  }

  @Test
  void shouldListStubsThatTheirPoolDoesNotPublish() {
    StubPoolOptions options =
        StubPoolOptions.builder().name("secret").minIdle(0).maxStubs(1).inspectable(false).build();
    try (StubPool secret = StubPool.open(options);
        StubPool published = open("published")) {
      int source = secret.sourcePid();

      assertThat(line(source)).containsPattern(" \\d+ - +- +- t .* -$");
      assertThat(line(published.sourcePid())).contains(" source ");
      Outcome outcome = Outcome.of("inspect", Integer.toString(source));
      assertThat(outcome.out()).contains("pool      none published\n", "state     source\n");
      assertThat(outcome.err()).isEmpty();
    }
  }

  @Test
  void shouldReadTheLargestPool() {
    StubPoolOptions options =
        StubPoolOptions.builder().name("largest").minIdle(0).maxStubs(1_000_000).build();
    try (StubPool largest = StubPool.open(options)) {
      assertThat(line(largest.sourcePid())).endsWith(" largest");
    }
  }

  @Test
  void shouldFindTheStubsOfAJvmInAPidNamespaceOfItsOwn() throws IOException {
    Privileges.assumeRoot();
    try (HeldDemo demo =
        HeldDemo.start(2, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child")) {
      int jvm = (int) demo.process().children().findFirst().orElseThrow().pid();
      assertThat(demo.jvm()).as("its own pid, by its own word").isEqualTo(1);

      Map<String, String> values = JsonText.values(Outcome.of("ps", "--json").out());

      String pool = pool(values, jvm);
      assertThat(values).containsEntry(pool + "/name", "demo").containsEntry(pool + "/leased", "2");
      int stub = Integer.parseInt(values.get(pool + "/stubs/0/pid"));
      assertThat(demo.stubs()).doesNotContain(stub);
      assertThat(Outcome.of("inspect", Integer.toString(stub)).out())
          .contains("state     leased for ", "jvm       " + jvm + " (");
      assertThat(Outcome.of("inspect", values.get(pool + "/source_pid")).out())
          .contains("state     source\n");
    }
  }

  @Test
  void shouldListStubsWhoseJvmMayNotBeLookedInto() throws IOException {
    Privileges.assumeRoot();
    try (HeldDemo demo = HeldDemo.start(1)) {
      String output = ChildCommand.output(Privileges.WITHOUT_CAPABILITIES, "ps");

      int stub = demo.stubs().getFirst();
      assertThat(output)
          .contains("stubpool: states of the stubs of JVM ", " are not readable; run as its user")
          .containsPattern("(?m)^ *" + stub + " +" + demo.jvm() + " -  +- +- t +\\d+ +1 -$");
      assertThat(ChildCommand.output(Privileges.WITHOUT_CAPABILITIES, "inspect", "" + stub))
          .contains("pool      unknown, its JVM is not readable\n")
          .contains("state     unknown\n")
          .endsWith("stubpool: some of it is not readable; run as the stub's user or as root\n");
    }
  }

  private static StubPool open(String name) {
    return StubPool.open(StubPoolOptions.builder().name(name).minIdle(0).maxStubs(1).build());
  }

  private static String line(int pid) {
    return line(Outcome.of("ps").out().lines().toList(), pid);
  }

  private static String line(List<String> lines, int pid) {
    return lines.stream()
        .map(String::strip)
        .filter(line -> line.startsWith(pid + " "))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no line for " + pid + " in " + lines));
  }

  /** The path of the pool of a JVM that has stubs. */
  private static String pool(Map<String, String> values, int jvm) {
    return values.entrySet().stream()
        .filter(value -> value.getKey().matches("/pools/\\d+/jvm_pid"))
        .filter(value -> value.getValue().equals(Integer.toString(jvm)))
        .map(value -> value.getKey().replace("/jvm_pid", ""))
        .filter(pool -> values.containsKey(pool + "/stubs/0/pid"))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no pool of JVM " + jvm + " in " + values));
  }
}
