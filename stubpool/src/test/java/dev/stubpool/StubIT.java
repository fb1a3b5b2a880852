package dev.stubpool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a holder does with stubs, on the real kernel. */
class StubIT {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("test").minIdle(0).maxStubs(64).build());

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  @Test
  void shouldRunSystemCallsInTheStub() {
    try (Stub stub = pool.acquire()) {
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      assertThat(stub.syscall(Abi.SYS_gettid)).isEqualTo(stub.pid());
      assertThat(stub.syscall(Abi.SYS_getppid)).isEqualTo(ProcessHandle.current().pid());
      assertThat(stub.state()).isEqualTo(StubState.LEASED);
    }
  }

  @Test
  void shouldReturnErrorsRaw() {
    try (Stub stub = pool.acquire()) {
      // Not mapped: mprotect(2) fails with ENOMEM.
      assertThat(stub.syscall(Abi.SYS_mprotect, SOMEWHERE, PAGE, 1)).isEqualTo(-Errno.ENOMEM);
    }
  }

  @Test
  void shouldRunSystemCallsFromVirtualThreads() throws InterruptedException {
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (Stub stub = pool.acquire(Duration.ofSeconds(10))) {
                      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
  }

  @Test
  void shouldShareMemoryBothWays() {
    try (Stub stub = pool.acquire();
        MemoryFile file = pool.memoryFile(2 * PAGE)) {
      file.segment().setString(0, "from the JVM");
      stub.memory().map(SOMEWHERE, file, 0, 2 * PAGE, Protection.READ_WRITE, Sharing.SHARED);
      assertThat(new String(stub.memory().read(SOMEWHERE, 12), UTF_8)).isEqualTo("from the JVM");

      stub.memory().write(SOMEWHERE + PAGE, "from the stub".getBytes(UTF_8));
      assertThat(file.segment().getString(PAGE)).isEqualTo("from the stub");
    }
  }

  @Test
  void shouldKeepPrivateWritesFromTheFile() {
    try (Stub stub = pool.acquire();
        MemoryFile file = pool.memoryFile(PAGE)) {
      stub.memory().map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.PRIVATE);
      stub.memory().write(SOMEWHERE, new byte[] {1});
      assertThat(stub.memory().read(SOMEWHERE, 1)).containsExactly(1);
      assertThat(file.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
    }
  }

  @Test
  void shouldMapHostFiles(@TempDir Path folder) throws Exception {
    byte[] content = new byte[(int) PAGE * 3];
    new Random(1).nextBytes(content);
    Path path = Files.write(folder.resolve("file"), content);
    try (Stub stub = pool.acquire();
        HostFile file = pool.mappable(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      assertThat(file.size()).isEqualTo(content.length);
      stub.memory().map(SOMEWHERE, file, PAGE, PAGE, Protection.READ_WRITE, Sharing.SHARED);
      assertThat(stub.memory().read(SOMEWHERE, (int) PAGE))
          .isEqualTo(Arrays.copyOfRange(content, (int) PAGE, 2 * (int) PAGE));
      stub.memory().write(SOMEWHERE, new byte[] {42});
    }
    assertThat(Files.readAllBytes(path)[(int) PAGE]).isEqualTo((byte) 42);
  }

  @Test
  void shouldCopyAnySizeAndKindOfSegment() {
    Random random = new Random(7);
    try (Stub stub = pool.acquire();
        Arena arena = Arena.ofConfined()) {
      long size = 300 * PAGE;
      stub.memory().mapAnonymous(SOMEWHERE, size, Protection.READ_WRITE);
      byte[] bytes = new byte[(int) size];
      random.nextBytes(bytes);
      stub.memory().write(SOMEWHERE, bytes);
      MemorySegment back = arena.allocate(size);
      stub.memory().read(SOMEWHERE, back);
      assertThat(back.mismatch(MemorySegment.ofArray(bytes))).isEqualTo(-1);
      stub.memory().write(SOMEWHERE + 5, back.asSlice(9, 11));
      assertThat(stub.memory().read(SOMEWHERE + 5, 11)).isEqualTo(Arrays.copyOfRange(bytes, 9, 20));
      assertThat(stub.memory().read(SOMEWHERE, 0)).isEmpty();
    }
  }

  @Test
  void shouldProtectAndUnmap() {
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(SOMEWHERE, 2 * PAGE, Protection.READ_WRITE);
      stub.memory().protect(SOMEWHERE, PAGE, Protection.READ);
      assertThatThrownBy(() -> stub.memory().write(SOMEWHERE, new byte[1]))
          .isInstanceOf(SystemCallException.class)
          .hasMessage(
              "process_vm_writev: EFAULT while copying memory of stub "
                  + stub.pid()
                  + " at 0x10000000");
      stub.memory().write(SOMEWHERE + PAGE, new byte[1]);
      stub.memory().unmap(SOMEWHERE + PAGE, PAGE);
      assertThatThrownBy(() -> stub.memory().read(SOMEWHERE, 2 * (int) PAGE))
          .hasMessage(
              "process_vm_readv: EFAULT while copying memory of stub "
                  + stub.pid()
                  + " at 0x10001000");
    }
  }

  @Test
  void shouldRefuseTheHandleOfALeaseThatIsOver() {
    Stub old = pool.acquire();
    int pid = old.pid();
    old.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    old.close();
    old.close();
    try (Stub stub = pool.acquire()) {
      assertThat(stub.pid()).isEqualTo(pid);
      assertThatThrownBy(() -> old.memory().read(SOMEWHERE, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this lease of stub " + pid + " is closed");
      assertThatThrownBy(() -> old.syscall(Abi.SYS_getpid))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(old::kill).isInstanceOf(IllegalStateException.class);
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(pid);
    }
  }

  @Test
  void shouldDiscardWhenAskedTo() {
    try (StubPool discarding =
        StubPool.open(StubPoolOptions.builder().minIdle(0).onRelease(OnRelease.DISCARD).build())) {
      Stub stub = discarding.acquire();
      int pid = stub.pid();
      stub.close();
      Proc.await("the stub's end", () -> !Proc.exists(pid));
      try (Stub other = discarding.acquire()) {
        assertThat(other.pid()).isNotEqualTo(pid);
      }
    }
  }

  @Test
  void shouldFailOnlyTheStubThatWasKilled() throws Exception {
    try (Stub victim = pool.acquire();
        Stub other = pool.acquire()) {
      victim.syscall(Abi.SYS_getpid);
      Proc.killFromOutside(victim.pid());
      assertThatThrownBy(() -> victim.syscall(Abi.SYS_getpid))
          .isInstanceOf(StubDiedException.class)
          .hasMessage(
              "stub "
                  + victim.pid()
                  + " is dead (killed by SIGKILL) while running a call in a stub");
      assertThatThrownBy(() -> victim.memory().read(SOMEWHERE, 1))
          .isInstanceOf(StubDiedException.class);
      assertThat(victim.state()).isEqualTo(StubState.DEAD);
      assertThat(other.syscall(Abi.SYS_getpid)).isEqualTo(other.pid());
    }
    try (Stub next = pool.acquire()) {
      assertThat(next.syscall(Abi.SYS_getpid)).isEqualTo(next.pid());
    }
  }

  @Test
  void shouldKillAStub() {
    try (Stub stub = pool.acquire()) {
      stub.kill();
      Proc.await("the stub's end", () -> stub.state() == StubState.DEAD);
      stub.kill();
      assertThatThrownBy(() -> stub.syscall(Abi.SYS_getpid)).isInstanceOf(StubDiedException.class);
    }
    assertThat(Proc.exists(pool.sourcePid())).isTrue();
  }

  @Test
  void shouldNoticeIdleStubsThatDie() throws Exception {
    Stub stub = pool.acquire();
    int pid = stub.pid();
    stub.close();
    Proc.await("the stub's return", () -> pool.stats().idle() == 1);
    Proc.killFromOutside(pid);
    Proc.await("the reaper", () -> !Proc.exists(pid));
    Proc.await("the pool's count", () -> pool.stats().total() == 0);
    try (Stub next = pool.acquire()) {
      assertThat(next.pid()).isNotEqualTo(pid);
    }
  }

  @Test
  void shouldMakeAnotherSourceWhenItWasKilled() throws Exception {
    for (int round = 0; round < 3; round++) {
      int source = pool.sourcePid();
      try (Stub stub = pool.acquire()) {
        Proc.killFromOutside(source);
        try (Stub next = pool.acquire()) {
          assertThat(next.syscall(Abi.SYS_getpid)).isEqualTo(next.pid());
          assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
        }
        stub.kill();
      }
      Proc.await("no idle stub", () -> drain() && pool.stats().total() == 0);
    }
  }

  private boolean drain() {
    try (Stub stub = pool.tryAcquire()) {
      if (stub != null) {
        stub.kill();
      }
      return stub == null;
    }
  }

  @Test
  void shouldForgeForManyAtOnce() throws InterruptedException {
    int threads = 32;
    CountDownLatch start = new CountDownLatch(1);
    ConcurrentLinkedQueue<Stub> stubs = new ConcurrentLinkedQueue<>();
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      all.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      start.await();
                    } catch (InterruptedException e) {
                      return;
                    }
                    stubs.add(pool.acquire());
                  }));
    }
    start.countDown();
    for (Thread thread : all) {
      thread.join();
    }
    assertThat(stubs).hasSize(threads);
    assertThat(stubs.stream().mapToInt(Stub::pid).distinct().count()).isEqualTo(threads);
    stubs.forEach(stub -> assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid()));
    stubs.forEach(Stub::close);
  }

  @Test
  void shouldKeepIdleStubsReady() {
    try (StubPool ready = StubPool.open(StubPoolOptions.builder().minIdle(20).build())) {
      Proc.await("20 idle stubs", () -> ready.stats().idle() == 20);
      List<Stub> taken = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        taken.add(ready.acquire());
      }
      Proc.await("20 more", () -> ready.stats().idle() == 20);
      taken.forEach(Stub::close);
    }
  }

  @Test
  void shouldLeaveDescriptorsAsTheyWere() throws Exception {
    pool.acquire().close();
    long before = Descriptors.count();
    for (int i = 0; i < 5; i++) {
      try (StubPool other = StubPool.open(StubPoolOptions.defaults());
          Stub stub = other.acquire();
          MemoryFile file = other.memoryFile(PAGE)) {
        stub.memory().map(SOMEWHERE, file, 0, PAGE, Protection.READ, Sharing.SHARED);
      }
    }
    assertThat(Descriptors.count()).isEqualTo(before);
  }

  @Test
  void shouldBindTracerAndStubsToOneCpuUnlessToldOtherwise() {
    try (Stub stub = pool.acquire()) {
      assertThat(Proc.status(stub.pid(), "Cpus_allowed_list")).matches("\\d+");
    }
    try (StubPool anywhere =
            StubPool.open(StubPoolOptions.builder().affinity(Affinity.ANY_CPU).build());
        Stub stub = anywhere.acquire()) {
      assertThat(Proc.status(stub.pid(), "Cpus_allowed_list"))
          .isEqualTo(Proc.status((int) ProcessHandle.current().pid(), "Cpus_allowed_list"));
    }
  }

  @Test
  void shouldCloseUnderCallers() throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      StubPool doomed =
          StubPool.open(StubPoolOptions.builder().name("doomed").minIdle(2).maxStubs(4).build());
      ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        while (true) {
                          try (Stub stub = doomed.acquire()) {
                            stub.syscall(Abi.SYS_getpid);
                          }
                        }
                      } catch (Throwable e) {
                        ends.add(e);
                      }
                    }));
      }
      Proc.await("use", () -> doomed.stats().created() >= 4);
      doomed.close();
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(ends).hasSize(8).allMatch(e -> e instanceof StubPoolClosedException);
    }
  }

  @Test
  void shouldRefuseSegmentsThatMayNotBeUsed() {
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
      Arena arena = Arena.ofConfined();
      MemorySegment closed = arena.allocate(8);
      assertThatThrownBy(() -> stub.memory().read(SOMEWHERE, closed.asReadOnly()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("cannot read into a read-only segment");
      arena.close();
      assertThatThrownBy(() -> stub.memory().read(SOMEWHERE, closed))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> stub.memory().write(SOMEWHERE, closed))
          .isInstanceOf(IllegalStateException.class);
      assertThat(stub.memory().read(SOMEWHERE, 8)).containsOnly(0);
    }
  }

  /**
   * A stub that is given to a waiter who gives up at that moment goes to the next, or back to the
   * idle.
   */
  @Test
  void shouldLoseNoStubToWaitersThatGiveUp() throws InterruptedException {
    try (StubPool one =
        StubPool.open(StubPoolOptions.builder().name("one").minIdle(0).maxStubs(1).build())) {
      long seed = new Random().nextLong();
      int rounds = Effort.cases(5_000, 200_000);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        Random random = new Random(seed + i);
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      for (int round = 0; round < rounds; round++) {
                        try (Stub stub = one.acquire(Duration.ofNanos(random.nextInt(60_000)))) {
                          stub.pid();
                        } catch (AcquireTimeoutException e) {
                          Thread.onSpinWait(); // what the test is about
                        }
                      }
                    }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      try (Stub stub = one.acquire(Duration.ofSeconds(10))) {
        assertThat(stub.syscall(Abi.SYS_getpid)).as("seed %d", seed).isEqualTo(stub.pid());
      }
      assertThat(one.stats().lost()).as("seed %d", seed).isZero();
    }
  }

  private static int resumeForEver(Guest guest) {
    while (true) {
      Trap _ = guest.resume();
    }
  }

  @Test
  void shouldTakeAnyDuration() {
    Duration forever = ChronoUnit.FOREVER.getDuration();
    try (Stub stub = pool.acquire(forever)) {
      assertThat(stub.<Integer, RuntimeException>run(guest -> 7, forever)).isEqualTo(7);
      assertThatThrownBy(
              () -> stub.<Integer, RuntimeException>run(StubIT::resumeForEver, forever.negated()))
          .isInstanceOf(GuestTimeoutException.class);
    }
    StubPoolOptions options =
        StubPoolOptions.builder()
            .name("forever")
            .minIdle(0)
            .maxStubs(1)
            .acquireTimeout(forever)
            .build();
    try (StubPool patient = StubPool.open(options)) {
      patient.acquire().close();
    }
  }

  @Test
  void shouldLeaveTheCallersInterruptStatus() {
    try (Stub stub = pool.acquire()) {
      Thread.currentThread().interrupt();
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      assertThat(Thread.interrupted()).isTrue();
    }
  }
}
