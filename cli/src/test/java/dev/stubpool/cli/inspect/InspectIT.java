package dev.stubpool.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.cli.HeldDemo;
import dev.stubpool.cli.JsonText;
import dev.stubpool.cli.Outcome;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class InspectIT {
  private static StubPool pool;

  @BeforeAll
  static void open() {
    pool =
        StubPool.open(StubPoolOptions.builder().name("inspected").minIdle(0).maxStubs(2).build());
  }

  @AfterAll
  static void close() {
    pool.close();
  }

  @Test
  void shouldShowAStubOfAnotherJvm() throws IOException {
    try (HeldDemo demo = HeldDemo.start(1)) {
      Outcome outcome = inspect(demo.stubs().getFirst());

      assertThat(outcome.err()).isEmpty();
      assertThat(outcome.status()).isZero();
      assertThat(outcome.out())
          .startsWith("stub      " + demo.stubs().getFirst() + ", started ")
          .contains("pool      demo\n")
          .contains("state     leased for ", "s, lease 1\n")
          .contains("jvm       " + demo.jvm() + " (java), ", "dev.stubpool.cli.Main\n")
          .contains("(stubpool-forge-), a thread of its JVM\n")
          .contains("kernel    t, stopped by its tracer", "1 thread, may run on CPU ")
          .contains("locked    seccomp filter, no new privileges, no capabilities\n")
          .contains("signals   pending: none; not blocked: ILL TRAP BUS FPE KILL SEGV STOP URG SYS")
          .containsPattern("(?m)^memory    RSS \\d+ kB, PSS \\d+ kB, oom_score_adj 1000$")
          .contains("mapped    image 4 kB in 1, guest 16 kB in 1\n")
          .contains("limits    its JVM's");
    }
  }

  @Test
  void shouldSayThatItIsTheSource() {
    Outcome outcome = inspect(pool.sourcePid());

    assertThat(outcome.out())
        .contains("pool      inspected\n", "state     source\n", ", guest nothing\n");
    assertThat(outcome.err()).isEmpty();
  }

  @Test
  void shouldPrintJson() throws IOException {
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(0x10_0000, 0x2000, Protection.READ_WRITE);

      Outcome outcome = Outcome.of("inspect", "--json", Integer.toString(stub.pid()));

      assertThat(outcome.err()).isEmpty();
      Map<String, String> values = JsonText.values(outcome.out());
      assertThat(values)
          .containsEntry("/pid", Integer.toString(stub.pid()))
          .containsEntry("/pool", "inspected")
          .containsEntry("/state", "leased")
          .containsEntry("/jvm_pid", Long.toString(ProcessHandle.current().pid()))
          .containsEntry("/tracer_comm", "stubpool-forge-")
          .containsEntry("/tracer_is_of_jvm", "true")
          .containsEntry("/kernel_state", "t")
          .containsEntry("/threads", "1")
          .containsEntry("/seccomp_filter", "true")
          .containsEntry("/no_new_privs", "true")
          .containsEntry("/capabilities/effective", "0")
          .containsEntry("/signals_not_blocked/0", "ILL")
          .containsEntry("/oom_score_adj", "1000")
          .containsEntry("/image_mappings", "1")
          .containsEntry("/guest_mappings", "1")
          .containsEntry("/guest_kb", "8")
          .doesNotContainKey("/signals_pending/0");
      assertThat(Integer.parseInt(values.get("/lease"))).isPositive();
      assertThat(Integer.parseInt(values.get("/for_ms")))
          .isBetween(0, Integer.parseInt(values.get("/age_ms")) + 1000);
    }
  }

  @Test
  void shouldShowThatAnImpostorIsNotWhatItSays(@TempDir Path folder) throws IOException {
    Path program = Files.copy(Path.of("/bin/sleep"), folder.resolve(ProcessStatus.STUB_COMM));
    Process impostor = new ProcessBuilder(program.toString(), "infinity").start();
    try {
      assertThat(inspect((int) impostor.pid()).out())
          .contains("pool      none published\n", "state     unknown\n")
          .contains("tracer    none, the stub is not controlled\n")
          .contains("locked    NO seccomp filter, new privileges POSSIBLE, ")
          .contains("mapped    image nothing, guest ");
      assertThat(Outcome.of("ps").out())
          .containsPattern("(?m)^ *" + impostor.pid() + " +\\d+ untraced ");
    } finally {
      impostor.destroyForcibly();
    }
  }

  @Test
  void shouldRefuseAProcessThatIsNoStub() {
    long self = ProcessHandle.current().pid();

    Outcome outcome = inspect((int) self);

    assertThat(outcome.err())
        .startsWith("stubpool: process " + self + " (")
        .endsWith(") is not a stub\n")
        .hasLineCount(1);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.status()).isEqualTo(1);
  }

  @Test
  void shouldSayThatThereIsNoSuchProcess() {
    Outcome outcome = inspect(Integer.MAX_VALUE);

    assertThat(outcome.err()).isEqualTo("stubpool: no such process: 2147483647\n");
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.status()).isEqualTo(1);
  }

  @Test
  void shouldNotTakeAnotherProcessForOneThatEndedMeanwhile() throws IOException {
    ProcessStatus source = ProcFs.SYSTEM.status(pool.sourcePid()).orElseThrow();
    ProcessStatus earlier =
        new ProcessStatus(
            source.pid(), source.comm(), 't', source.parent(), 0, 1, source.startTime() - 1, 5);
    ProcessStatus gone =
        new ProcessStatus(Integer.MAX_VALUE, source.comm(), 't', source.parent(), 0, 1, 0, 5);

    assertThat(Inspection.of(ProcFs.SYSTEM, source)).isPresent();
    assertThat(Inspection.of(ProcFs.SYSTEM, earlier)).isEmpty();
    assertThat(Inspection.of(ProcFs.SYSTEM, gone)).isEmpty();
  }

  private static Outcome inspect(int pid) {
    return Outcome.of("inspect", Integer.toString(pid));
  }
}
