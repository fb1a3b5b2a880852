package dev.stubpool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.abi.Errno;
import dev.stubpool.forge.TestHooks;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import dev.stubpool.pool.Pool;
import dev.stubpool.pool.Supply;
import dev.stubpool.support.Orphans;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Logs;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies of stubs, on the real kernel. */
class SpawnIT {
  /** Copies that came back stay idle. */
  private static final Duration LONG = Duration.ofDays(1);

  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long ELSEWHERE = 0x2000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;

  private final StubPool pool =
      StubPool.open(
          StubPoolOptions.builder()
              .name("spawn")
              .minIdle(0)
              .maxStubs(65)
              .idleTimeout(LONG)
              .build());

  @AfterAll
  static void disownOrphans() {
    Orphans.disown(); // of the one test that adopts them
  }

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  private static void write(Stub stub, long address, String text) {
    stub.memory().write(address, text.getBytes(UTF_8));
  }

  private static String read(Stub stub, long address, int length) {
    return new String(stub.memory().read(address, length), UTF_8);
  }

  // ---- what a copy has ----

  @Test
  void shouldCopyPrivateMemoryOnWrite() {
    try (Stub parent = pool.acquire()) {
      parent.memory().mapAnonymous(SOMEWHERE, 3 * PAGE, Protection.READ_WRITE);
      write(parent, SOMEWHERE, "first");
      write(parent, SOMEWHERE + PAGE, "second");
      try (Stub child = parent.spawnChild()) {
        write(parent, SOMEWHERE, "PARENT");
        write(child, SOMEWHERE + PAGE, "CHILD");
        // Neither had this page yet.
        write(child, SOMEWHERE + 2 * PAGE, "new");
        assertThat(read(child, SOMEWHERE, 6)).isEqualTo("first\0");
        assertThat(read(parent, SOMEWHERE, 6)).isEqualTo("PARENT");
        assertThat(read(child, SOMEWHERE + PAGE, 6)).isEqualTo("CHILDd");
        assertThat(read(parent, SOMEWHERE + PAGE, 6)).isEqualTo("second");
        assertThat(parent.memory().read(SOMEWHERE + 2 * PAGE, 3)).containsOnly(0);
      }
    }
  }

  @Test
  void shouldShareSharedMemory() {
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub parent = pool.acquire()) {
      parent.memory().map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.SHARED);
      parent.memory().map(ELSEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.PRIVATE);
      write(parent, ELSEWHERE, "of the parent");
      try (Stub child = parent.spawnChild()) {
        write(child, SOMEWHERE, "by the child");
        assertThat(file.segment().getString(0)).isEqualTo("by the child");
        assertThat(read(parent, SOMEWHERE, 12)).isEqualTo("by the child");
        file.segment().setString(0, "by the JVM");
        assertThat(read(child, SOMEWHERE, 10)).isEqualTo("by the JVM");
        assertThat(read(child, ELSEWHERE, 13)).isEqualTo("of the parent");
        write(child, ELSEWHERE, "of the child ");
        assertThat(read(parent, ELSEWHERE, 13)).isEqualTo("of the parent");
        assertThat(file.segment().getString(0)).isEqualTo("by the JVM");
      }
    }
  }

  @Test
  void shouldKeepMappingsAndProtections(@TempDir Path folder) throws IOException {
    Path path = Files.write(folder.resolve("file"), "a file of the host".getBytes(UTF_8));
    try (Stub parent = pool.acquire();
        MemoryFile file = pool.memoryFile(4 * PAGE)) {
      StubMemory memory = parent.memory();
      long at = SOMEWHERE;
      for (Protection protection : Protection.values()) {
        memory.mapAnonymous(at, PAGE, protection);
        memory.map(at + PAGE, file, 2 * PAGE, 2 * PAGE, protection, Sharing.SHARED);
        at += 4 * PAGE;
      }
      try (HostFile host = pool.mappable(path)) {
        memory.map(ELSEWHERE, host, 0, PAGE, Protection.READ_EXECUTE, Sharing.PRIVATE);
      }
      Files.delete(path);
      try (Stub child = parent.spawnChild()) {
        assertThat(descriptions(child.pid()))
            .isEqualTo(descriptions(parent.pid()))
            .hasSizeGreaterThan(2 * Protection.values().length);
        assertThat(read(child, ELSEWHERE, 18)).isEqualTo("a file of the host");
        assertThatThrownBy(() -> write(child, ELSEWHERE, "x")).hasMessageContaining("EFAULT");
        // And from now on each has its own.
        child.memory().unmap(SOMEWHERE, PAGE);
        child.memory().protect(ELSEWHERE, PAGE, Protection.READ_WRITE);
        write(child, ELSEWHERE, "A");
        assertThat(read(parent, ELSEWHERE, 1)).isEqualTo("a");
        assertThatThrownBy(() -> write(parent, ELSEWHERE, "x")).hasMessageContaining("EFAULT");
        assertThat(descriptions(parent.pid())).hasSize(descriptions(child.pid()).size() + 1);
      }
    }
  }

  private static List<String> descriptions(int pid) {
    List<String> descriptions = new ArrayList<>();
    try {
      for (Mapping mapping : ProcMaps.of(pid)) {
        descriptions.add(
            "%x-%x %s %s"
                .formatted(mapping.start(), mapping.end(), mapping.permissions(), mapping.name()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return descriptions;
  }

  @Test
  void shouldCopyACopy() {
    Deque<Stub> line = new ArrayDeque<>();
    line.add(pool.acquire());
    line.getFirst().memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    for (int generation = 0; generation < 10; generation++) {
      line.getLast().memory().write(SOMEWHERE + generation, new byte[] {(byte) (generation + 1)});
      line.add(line.getLast().spawnChild());
    }
    int known = 1;
    for (Stub stub : line) {
      byte[] bytes = stub.memory().read(SOMEWHERE, 11);
      for (int i = 0; i < bytes.length; i++) {
        assertThat(bytes[i]).isEqualTo((byte) (i < Math.min(known, 10) ? i + 1 : 0));
      }
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      known++;
    }
    line.forEach(Stub::close);
  }

  // ---- a lease like any other ----

  @Test
  void shouldBeAStubOfItsOwn() {
    Stub parent = pool.acquire();
    parent.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    write(parent, SOMEWHERE, "template");
    Stub child = parent.spawnChild();
    assertThat(child.pid()).isNotEqualTo(parent.pid());
    assertThat(child.state()).isEqualTo(StubState.LEASED);
    assertThat(child.syscall(Abi.SYS_getpid)).isEqualTo(child.pid());
    assertThat(child.syscall(Abi.SYS_getppid)).isEqualTo(ProcessHandle.current().pid());
    for (String field : List.of("Seccomp", "NoNewPrivs", "CapEff", "SigBlk", "SigCgt", "Name")) {
      assertThat(Proc.status(child.pid(), field)).isEqualTo(Proc.status(parent.pid(), field));
    }
    assertThatThrownBy(() -> child.syscall(Abi.SYS_openat, -100, 0))
        .isInstanceOf(DeniedSystemCallException.class);
    assertThat(pool.stats().leased()).isEqualTo(2);
    assertThat(pool.stats().created()).isEqualTo(2);

    int parentPid = parent.pid();
    parent.close();
    Proc.await("the parent's return", () -> pool.stats().idle() == 1);
    assertThat(read(child, SOMEWHERE, 8)).isEqualTo("template");
    assertThat(child.syscall(Abi.SYS_getpid)).isEqualTo(child.pid());
    child.close();
    Proc.await("the child's return", () -> pool.stats().idle() == 2);
    assertThat(pool.stats().recycled()).isEqualTo(2);
    try (Stub last = pool.acquire();
        Stub first = pool.acquire()) {
      assertThat(List.of(last.pid(), first.pid())).containsExactly(child.pid(), parentPid);
      assertThat(IdleStubIT.mappingsBesidesTheImage(pool, last.pid())).isEmpty();
      assertThat(last.syscall(Abi.SYS_getpid)).isEqualTo(last.pid());
      assertThatThrownBy(() -> child.memory().read(SOMEWHERE, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this lease of stub " + child.pid() + " is closed");
    }
  }

  /** A copy that did nothing is not like new all the same: it has what its parent had. */
  @Test
  void shouldRecycleACopyThatDidNothing() {
    try (Stub parent = pool.acquire()) {
      parent.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
      int pid;
      try (Stub child = parent.spawnChild()) {
        pid = child.pid();
      }
      Proc.await("the child's return", () -> pool.stats().idle() == 1);
      try (Stub next = pool.acquire()) {
        assertThat(next.pid()).isEqualTo(pid);
        assertThat(IdleStubIT.mappingsBesidesTheImage(pool, pid)).isEmpty();
      }
    }
  }

  @Test
  void shouldSpawnManyOfOneTemplateAtOnce() throws InterruptedException {
    int threads = 8;
    int each = 8;
    try (Stub template = pool.acquire()) {
      template.memory().mapAnonymous(SOMEWHERE, 16 * PAGE, Protection.READ_WRITE);
      byte[] program = new byte[(int) (16 * PAGE)];
      new Random(3).nextBytes(program);
      template.memory().write(SOMEWHERE, program);
      ConcurrentLinkedQueue<Stub> children = new ConcurrentLinkedQueue<>();
      ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
      CountDownLatch start = new CountDownLatch(1);
      List<Thread> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        all.add(
            (i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual())
                .start(
                    () -> {
                      try {
                        start.await();
                        for (int n = 0; n < each; n++) {
                          Stub child = template.spawnChild();
                          children.add(child);
                          assertThat(child.memory().read(SOMEWHERE, program.length))
                              .isEqualTo(program);
                          write(child, SOMEWHERE, "stub %08d".formatted(child.pid()));
                        }
                      } catch (Throwable e) {
                        failures.add(e);
                      }
                    }));
      }
      start.countDown();
      for (Thread thread : all) {
        thread.join();
      }
      assertThat(failures).isEmpty();
      assertThat(children).hasSize(threads * each);
      assertThat(children.stream().mapToInt(Stub::pid).distinct().count()).isEqualTo(64);
      for (Stub child : children) {
        assertThat(read(child, SOMEWHERE, 13)).isEqualTo("stub %08d".formatted(child.pid()));
        assertThat(child.syscall(Abi.SYS_getpid)).isEqualTo(child.pid());
      }
      assertThat(template.memory().read(SOMEWHERE, program.length)).isEqualTo(program);
      assertThatThrownBy(template::spawnChild).isInstanceOf(StubPoolFullException.class);
      children.forEach(Stub::close);
      Proc.await("all back", () -> pool.stats().idle() == 64);
      assertThat(pool.stats().recycled()).isEqualTo(64);
    }
  }

  // ---- what may go wrong ----

  @Test
  void shouldCountAgainstMaxStubsAndNeverWait() {
    try (StubPool two =
            StubPool.open(StubPoolOptions.builder().name("two").minIdle(0).maxStubs(2).build());
        Stub parent = two.acquire()) {
      Stub child = parent.spawnChild();
      assertThatThrownBy(parent::spawnChild)
          .isInstanceOf(StubPoolFullException.class)
          .hasMessage(
              "pool two: no room for a copy of stub "
                  + parent.pid()
                  + ", all 2 (maxStubs) are in use; total=2 idle=0 leased=2 forging=0 waiting=0");
      CompletableFuture<Stub> waiter =
          CompletableFuture.supplyAsync(() -> two.acquire(Duration.ofSeconds(20)));
      Proc.await("a waiter", () -> two.stats().waiting() == 1);
      assertThatThrownBy(child::spawnChild)
          .isInstanceOf(StubPoolFullException.class)
          .hasMessageEndingWith("total=2 idle=0 leased=2 forging=0 waiting=1");
      child.close();
      try (Stub next = waiter.join()) {
        assertThat(next.pid()).isEqualTo(child.pid());
        assertThat(IdleStubIT.mappingsBesidesTheImage(two, next.pid())).isEmpty();
      }
      // One that nobody has, idle or on its way back, makes room.
      for (int i = 0; i < 20; i++) {
        parent.spawnChild().close();
      }
      assertThat(two.stats().total()).isLessThanOrEqualTo(2);
      assertThat(two.stats().discarded()).isPositive();
    }
  }

  @Test
  void shouldRefuseWhereTheParentIsClosedOrDead() throws Exception {
    Stub closed = pool.acquire();
    closed.close();
    assertThatThrownBy(closed::spawnChild)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this lease of stub " + closed.pid() + " is closed");
    try (Stub dead = pool.acquire()) {
      assertThat(ProcessCalls.kill(dead.pid(), Abi.SIGKILL)).isZero();
      assertThatThrownBy(dead::spawnChild)
          .isInstanceOf(StubDiedException.class)
          .hasMessageStartingWith(
              "stub " + dead.pid() + " is dead (killed by SIGKILL) while copying ");
      assertThatThrownBy(dead::spawnChild)
          .isInstanceOf(StubDiedException.class)
          .hasMessage("stub " + dead.pid() + " is dead (killed by SIGKILL) while copying it");
    }
    assertThat(pool.stats().leased()).isZero();
    Stub orphan = pool.acquire();
    pool.close();
    assertThatThrownBy(orphan::spawnChild)
        .isInstanceOf(StubPoolClosedException.class)
        .hasMessage("pool spawn is closed");
  }

  /** The copy may have been made when its parent dies, and nobody was told its pid. */
  @Test
  void shouldLeaveNothingBehindWhereTheParentIsKilledMeanwhile() {
    int rounds = Effort.cases(100, 5_000);
    long seed = new Random().nextLong();
    System.out.println("SpawnIT: parents killed meanwhile, seed " + seed);
    Random random = new Random(seed);
    int copies = 0;
    for (int round = 0; round < rounds; round++) {
      Stub parent = pool.acquire();
      parent.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ);
      int nanos = random.nextInt(300_000);
      Thread killer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    long start = System.nanoTime();
                    while (System.nanoTime() - start < nanos) {
                      Thread.onSpinWait();
                    }
                    parent.kill();
                  });
      try (Stub child = parent.spawnChild()) {
        assertThat(child.syscall(Abi.SYS_getpid)).isEqualTo(child.pid());
        copies++;
      } catch (StubDiedException e) {
        assertThat(e).as("seed %d", seed).hasMessageContaining("killed by SIGKILL");
      } finally {
        join(killer);
        parent.close();
      }
    }
    System.out.println("SpawnIT: " + copies + " of " + rounds + " copies were made");
    Proc.await(
        "nobody but the pool's own: " + pool.stats(),
        () -> Proc.stubs().size() == 1 + pool.stats().total());
    assertThat(pool.stats().leased()).isZero();
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldSayThatTheKernelRefused() {
    assertThat(Unprivileged.run("spawn", List.of(), Greedy.class))
        .contains(
            "EAGAIN: clone: EAGAIN while copying stub N; a limit on processes is reached: look at"
                + " ulimit -u (RLIMIT_NPROC), pids.max of the cgroup, /proc/sys/kernel/pid_max and"
                + " threads-max")
        .contains("and on it goes");
  }

  /** Copies a stub until the kernel has no more; then gives one back and copies it again. */
  static final class Greedy {
    public static void main(String[] arguments) throws IOException {
      StubImage.get();
      Unprivileged.limitProcessesTo(Proc.tasksOf(Unprivileged.UID) + 40L);
      try (StubPool pool =
              StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(1000).build());
          Stub parent = pool.acquire()) {
        List<Stub> children = new ArrayList<>();
        try {
          while (true) {
            children.add(parent.spawnChild());
          }
        } catch (SystemCallException e) {
          System.out.println(
              e.errnoName() + ": " + e.getMessage().replace("stub " + parent.pid(), "stub N"));
        }
        int count = children.size();
        Stub last = children.removeLast();
        last.kill();
        last.close();
        Proc.await("its end", () -> pool.stats().total() == count);
        Proc.await(
            "room",
            () -> {
              try {
                children.add(parent.spawnChild());
                return true;
              } catch (SystemCallException e) {
                return e.errno() != Errno.EAGAIN; // as others of this user come and go
              }
            });
        System.out.println(
            children.getLast().syscall(Abi.SYS_getpid) == children.getLast().pid()
                ? "and on it goes"
                : "");
      }
    }
  }

  // ---- lost, and left ----

  @Test
  void shouldTellWhereALostCopyWasMade() {
    try (StubPool traced =
            StubPool.open(
                StubPoolOptions.builder()
                    .name("traced")
                    .minIdle(0)
                    .maxStubs(2)
                    .leakTraces(true)
                    .idleTimeout(LONG)
                    .build());
        Stub parent = traced.acquire();
        Logs logs = new Logs(Supply.class)) {
      int pid = lose(parent);
      Proc.await(
          "the garbage collector",
          () -> {
            System.gc();
            return traced.stats().lost() == 1 && !logs.lines().isEmpty();
          });
      Proc.await("its return", () -> traced.stats().idle() == 1);
      assertThat(logs.lines())
          .startsWith(
              "WARN pool traced: the lease of stub "
                  + pid
                  + " was never closed, and its handle is garbage: taken back")
          .contains("at dev.stubpool.pool.Lease.spawnChild", "at dev.stubpool.SpawnIT.lose");
      try (Stub next = traced.acquire()) {
        assertThat(next.pid()).isEqualTo(pid);
      }
    }
  }

  private static int lose(Stub parent) {
    return parent.spawnChild().pid();
  }

  /** By either of the two mechanisms: the second is armed by a copy's own first call. */
  @Test
  void shouldDieWithTheJvm() {
    Orphans.adopt();
    assertThat(leftBehind("true", "false", "false")).isEmpty();
    assertThat(leftBehind("false", "true", "true")).isEmpty();
    // The proof that this can fail: nothing was called in the copies, so nothing is armed.
    assertThat(leftBehind("false", "true", "false")).hasSize(Template.COPIES);
  }

  /** What is left of a child JVM that was killed; nothing is any more afterwards. */
  private static List<String> leftBehind(String... arguments) {
    Set<Integer> before = Proc.children();
    try (ChildJvm child = ChildJvm.start(ChildJvm.command(Template.class, arguments))) {
      child.await("copies exist");
      child.kill();
    }
    boolean survivors = arguments[2].equals("false") && arguments[0].equals("false");
    List<String> left =
        Orphans.awaitNone(before, survivors ? Duration.ofMillis(500) : Duration.ofSeconds(10));
    for (int pid : Proc.children()) {
      if (!before.contains(pid)) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
    assertThat(Orphans.awaitNone(before, Duration.ofSeconds(10))).isEmpty();
    return left;
  }

  /**
   * Makes copies and gives them back: recycled stubs are left where they park, where nothing but a
   * signal ends them.
   */
  static final class Template {
    static final int COPIES = 8;

    public static void main(String[] arguments) {
      TestHooks hooks =
          new TestHooks(
              Boolean.parseBoolean(arguments[0]),
              Boolean.parseBoolean(arguments[1]),
              TestHooks.NONE.patience());
      StubPool pool =
          Pool.open(
              StubPoolOptions.builder().minIdle(0).maxStubs(64).idleTimeout(LONG).build(), hooks);
      Stub parent = pool.acquire();
      List<Stub> copies = new ArrayList<>();
      for (int i = 0; i < COPIES; i++) {
        Stub copy = parent.spawnChild();
        if (Boolean.parseBoolean(arguments[2])) {
          copy.syscall(Abi.SYS_getpid);
        }
        copies.add(copy);
      }
      copies.forEach(Stub::close);
      Proc.await("all idle", () -> pool.stats().idle() == COPIES);
      System.out.println("copies exist");
      while (parent.state() == StubState.LEASED) {
        LockSupport.park();
      }
    }
  }

  @Test
  void shouldCloseThePoolUnderWhoSpawns() throws InterruptedException {
    for (int round = 0; round < 5; round++) {
      StubPool doomed =
          StubPool.open(StubPoolOptions.builder().name("doomed").minIdle(0).maxStubs(500).build());
      Stub parent = doomed.acquire();
      CompletableFuture<Throwable> end = new CompletableFuture<>();
      Thread spawner =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      while (true) {
                        parent.spawnChild().close();
                      }
                    } catch (Throwable e) {
                      end.complete(e);
                    }
                  });
      Proc.await("copies", () -> doomed.stats().created() > 5);
      doomed.close();
      spawner.join();
      assertThat(end.join()).isInstanceOf(StubPoolClosedException.class);
    }
  }
}
