package dev.stubpool.cli.pools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.stubpool.StubState;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SurveyTest {
  private static final int JVM = 100;
  private static final int SOURCE = 110;

  private static final long NOW = 3_000_000_000_000L;
  private static final Duration AGO = Duration.ofMillis(250);

  @TempDir private Path root;

  private MadeUpProc madeUp;

  @BeforeEach
  void makeUp() throws IOException {
    madeUp = new MadeUpProc(root);
  }

  @AfterEach
  void close() throws IOException {
    madeUp.close();
  }

  @Test
  void shouldTellWhatEachStubIsDoing() throws IOException {
    madeUp.jvm(JVM);
    for (int pid = SOURCE; pid <= 115; pid++) {
      madeUp.stub(JVM, pid);
    }
    LeaseTable table = madeUp.pool("web", JVM);
    table.tick(NOW - AGO.toNanos());
    table.publish(SOURCE, 7, 2);
    int dead = table.claim(115);
    table.die(dead);
    int resetting = table.claim(114);
    table.makeIdle(resetting);
    table.lease(resetting, table.makeIdle(resetting));
    table.giveBack(resetting, 2);
    int leased = table.claim(113);
    table.lease(leased, table.makeIdle(leased));
    int idle = table.claim(112);
    table.makeIdle(idle);
    table.claim(111);

    List<JvmStubs> jvms = survey().all();

    assertThat(jvms).hasSize(1);
    assertThat(jvms.getFirst().jvm()).isEqualTo(JVM);
    assertThat(jvms.getFirst().unpublished()).isEmpty();
    LivePool pool = jvms.getFirst().pools().getFirst();
    assertThat(pool.name()).isEqualTo("web");
    assertThat(pool.published().created()).isEqualTo(7);
    assertThat(pool.source().orElseThrow())
        .extracting(stub -> stub.process().pid(), PooledStub::state, PooledStub::since)
        .containsExactly(SOURCE, "source", Optional.of(Duration.ofSeconds(1)));
    assertThat(pool.stubs())
        .extracting(
            stub -> stub.process().pid(), PooledStub::state, PooledStub::since, PooledStub::lease)
        .containsExactly(
            tuple(111, "forging", Optional.of(AGO), Optional.empty()),
            tuple(112, "idle", Optional.of(AGO), Optional.empty()),
            tuple(113, "leased", Optional.of(AGO), Optional.of(1L)),
            tuple(114, "resetting", Optional.of(AGO), Optional.of(2L)),
            tuple(115, "dead", Optional.of(AGO), Optional.empty()));
    assertThat(pool.count(StubState.LEASED)).isEqualTo(1);
  }

  @Test
  void shouldNotTellOfATimeLongerThanTheProcessHasLived() throws IOException {
    madeUp.jvm(JVM);
    madeUp.stub(JVM, 111);
    LeaseTable table = madeUp.pool("web", JVM);
    table.tick(NOW - Duration.ofHours(1).toNanos());
    table.makeIdle(table.claim(111));

    assertThat(onlyPool().stubs().getFirst().since()).contains(Duration.ofSeconds(1));
  }

  @Test
  void shouldTellOfNoTimeThatIsStillToCome() throws IOException {
    madeUp.jvm(JVM);
    madeUp.stub(JVM, 111);
    LeaseTable table = madeUp.pool("web", JVM);
    table.tick(NOW + Duration.ofHours(1).toNanos()); // another time namespace
    table.makeIdle(table.claim(111));

    assertThat(onlyPool().stubs().getFirst().since()).isEmpty();
  }

  @Test
  void shouldSortByJvmAndPoolAndPid() throws IOException {
    madeUp.jvm(300);
    madeUp.jvm(20);
    madeUp.stub(300, 311);
    madeUp.stub(300, 310);
    madeUp.stub(300, 309);
    madeUp.stub(20, 21);
    madeUp.pool("web", 300).claim(311);
    LeaseTable jobs = madeUp.pool("jobs", 300);
    jobs.claim(310);
    jobs.claim(309);
    madeUp.pool("alone", 20).claim(21);

    assertThat(survey().all())
        .flatExtracting(JvmStubs::pools)
        .flatExtracting(LivePool::stubs)
        .extracting(stub -> stub.process().pid())
        .containsExactly(21, 309, 310, 311);
  }

  @Test
  void shouldFindStubsOfAJvmInAPidNamespaceOfItsOwn() throws IOException {
    madeUp.jvm(JVM, 7);
    madeUp.stub(JVM, 110, 7_000);
    madeUp.stub(JVM, 111, 110); // its number in there is another's out here
    LeaseTable table = madeUp.pool("contained", 7);
    table.publish(7_000, 1, 0);
    table.lease(table.claim(110), table.makeIdle(0));

    LivePool pool = onlyPool();

    assertThat(pool.source().orElseThrow().process().pid()).isEqualTo(110);
    assertThat(pool.stubs())
        .extracting(stub -> stub.process().pid(), PooledStub::state)
        .containsExactly(tuple(111, "leased"));
  }

  @Test
  void shouldNotTakeTheTableOfAnotherJvm() throws IOException {
    madeUp.jvm(JVM);
    madeUp.stub(JVM, 111);
    madeUp.pool("another's", 99).claim(111);

    JvmStubs jvm = survey().all().getFirst();

    assertThat(jvm.pools()).isEmpty();
    assertThat(jvm.unpublished()).extracting(stub -> stub.process().pid()).containsExactly(111);
  }

  @Test
  void shouldCountATableWithTwoDescriptorsOnce() throws IOException {
    madeUp.jvm(JVM);
    madeUp.stub(JVM, 111);
    int fd = madeUp.tableFile(LeaseTable.bytes(1));

    try (FileChannel second = MadeUpProc.open(fd)) {
      assertThat(second.isOpen()).isTrue();
      assertThat(survey().all().getFirst().unknownTables()).isEqualTo(1);
    }
  }

  @Test
  void shouldNotReadATableThatIsTooLarge() throws IOException {
    madeUp.jvm(JVM);
    madeUp.stub(JVM, 111);
    madeUp.tableFile(1L << 40);

    assertThat(survey().all().getFirst().unknownTables()).isEqualTo(1);
  }

  @Test
  void shouldListStubsThatNoPoolTellsOf() throws IOException {
    madeUp.jvm(JVM);
    madeUp.stub(JVM, 111);
    madeUp.process("stubpool-stub", 'R', 1, 0, 9, 112);
    madeUp.process("stubpool-stub", 'Z', 1, 0, 9, 113);
    madeUp.process("stubpool-stub.", 't', 1, 2, 9, 114);

    assertThat(survey().all())
        .flatExtracting(JvmStubs::unpublished)
        .extracting(stub -> stub.process().pid(), UnpublishedStub::isUntraced)
        .containsExactly(tuple(112, true), tuple(113, false), tuple(111, false));
  }

  @Test
  void shouldLeaveOutWhatHasEndedMeanwhile() throws IOException {
    madeUp.jvm(JVM);
    madeUp.stub(JVM, 111);
    madeUp.stub(JVM, 112);
    madeUp.stub(JVM, 113);
    List<ProcessStatus> before =
        madeUp.proc().all().stream().filter(ProcessStatus::isNamedStub).toList();
    assertThat(before).hasSize(3);
    madeUp.end(111);
    madeUp.process("stubpool-stub", 't', JVM, JVM, MadeUpProc.UPTIME, 112); // another since
    LeaseTable table = madeUp.pool("web", JVM);
    table.claim(114); // made since

    JvmStubs jvm = survey().of(JVM, before);

    assertThat(jvm.unpublished()).extracting(stub -> stub.process().pid()).containsExactly(113);
    assertThat(jvm.pools().getFirst().stubs()).isEmpty();
  }

  @Test
  void shouldDoWithoutAJvmThatIsGone() throws IOException {
    madeUp.stub(JVM, 111);

    JvmStubs jvm = survey().all().getFirst();

    assertThat(jvm.pools()).isEmpty();
    assertThat(jvm.unpublished()).hasSize(1);
    assertThat(jvm.isDenied()).isFalse();
  }

  private LivePool onlyPool() throws IOException {
    List<JvmStubs> jvms = survey().all();
    assertThat(jvms).hasSize(1);
    assertThat(jvms.getFirst().unpublished()).isEmpty();
    assertThat(jvms.getFirst().pools()).hasSize(1);
    return jvms.getFirst().pools().getFirst();
  }

  private Survey survey() {
    return new Survey(madeUp.proc(), () -> NOW);
  }
}
