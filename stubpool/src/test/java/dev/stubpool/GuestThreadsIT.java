package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.support.HeldCalls;
import dev.stubpool.support.Internals;
import dev.stubpool.support.Orphans;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several guests in one stub: what they share, and every way in which all of them end. */
class GuestThreadsIT {
  private static final int GUESTS = 8;
  private static final long CODE = 0x10_0000;
  private static final long DATA = 0x20_0000;
  private static final int WAIT = 1;
  private static final int WAKE = 2;
  private static final int EXIT = 3;
  private static final int ROUNDS = 50;
  private static final Duration BOUND = Duration.ofSeconds(10);
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** syscall; jmp -4. */
  private static final byte[] CALLS = HexFormat.of().parseHex("0f05ebfc");

  /** jmp -2. */
  private static final byte[] SPIN = HexFormat.of().parseHex("ebfe");

  /** mov [rdi], al; jmp -4. */
  private static final byte[] FAULTS = HexFormat.of().parseHex("8807ebfc");

  /**
   * Waits until the word at r12 is r13, adds 1 to the one at r12 + 8 as only a holder of the token
   * may, and hands the token to r14; r15 times.
   *
   * <pre>
   *   again: mov eax, [r12]; cmp eax, r13d; je mine
   *          mov esi, eax; mov eax, WAIT; syscall; jmp again
   *   mine:  mov rbx, [r12 + 8]; inc rbx; mov [r12 + 8], rbx
   *          mov [r12], r14d; mov eax, WAKE; syscall
   *          dec r15; jnz again
   *          mov eax, EXIT; syscall
   * </pre>
   */
  private static final byte[] TOKEN =
      HexFormat.of()
          .parseHex(
              "418b04244439e8740b89c6b8010000000f05ebec"
                  + "498b5c240848ffc349895c240845893424b8020000000f05"
                  + "49ffcf75cfb8030000000f05");

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("threads").minIdle(0).maxStubs(4).build());

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  // ---- what they share ----

  @Test
  void shouldHandATokenAround() throws Exception {
    for (int run = 0; run < Effort.cases(5, 100); run++) {
      try (Stub stub = GuestCode.load(pool, CODE, TOKEN)) {
        stub.memory().mapAnonymous(DATA, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
        Futex futex = new Futex(stub);
        List<Thread> threads = new ArrayList<>();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        for (int i = 0; i < GUESTS; i++) {
          int me = i;
          threads.add(start(failures, () -> stub.run(guest -> hand(guest, futex, me), LIMIT)));
        }
        join(threads);
        assertThat(failures).as("run %d", run).isEmpty();
        assertThat(word(stub, DATA + 8)).as("run %d", run).isEqualTo(GUESTS * ROUNDS);
        assertThat(ProcessCalls.threads(stub.pid())).containsExactly(stub.pid());
      }
    }
  }

  private static long word(Stub stub, long address) {
    return ByteBuffer.wrap(stub.memory().read(address, Long.BYTES))
        .order(ByteOrder.LITTLE_ENDIAN)
        .getLong();
  }

  private static Object hand(Guest guest, Futex futex, int me) {
    guest.registers().rip(CODE).r12(DATA).r13(me).r14((me + 1) % GUESTS).r15(ROUNDS);
    while (true) {
      Trap trap = guest.resume();
      if (!(trap instanceof Trap.SystemCall call)) {
        throw new AssertionError(trap.toString());
      }
      switch (call.number()) {
        case WAIT -> futex.await((int) call.argument(1));
        case WAKE -> futex.wake();
        case EXIT -> {
          return null;
        }
        default -> throw new AssertionError(trap.toString());
      }
      guest.complete(0);
    }
  }

  /** futex(2) on the token's word. */
  private static final class Futex {
    private final Stub stub;

    Futex(Stub stub) {
      this.stub = stub;
    }

    synchronized void await(int value) {
      try {
        while ((int) word(stub, DATA) == value) {
          wait();
        }
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    synchronized void wake() {
      notifyAll();
    }
  }

  @Test
  void shouldRefuseACopyWhileOneRuns() throws Exception {
    try (Stub stub = GuestCode.load(pool, CODE, SPIN)) {
      CountDownLatch begun = new CountDownLatch(1);
      Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
      CompletableFuture<Guest.Interrupter> interrupter = new CompletableFuture<>();
      AtomicBoolean stop = new AtomicBoolean();
      Thread runner =
          start(
              failures,
              () ->
                  stub.run(
                      guest -> {
                        guest.registers().rip(CODE);
                        stub.spawnChild().close(); // it is stopped
                        interrupter.complete(guest.interrupter());
                        begun.countDown();
                        while (!stop.get()) {
                          guest.resume();
                        }
                        stub.spawnChild().close();
                        return null;
                      },
                      LIMIT));
      begun.await();
      Proc.await("the guest to run", () -> refusesACopy(stub));
      assertThatIllegalStateException()
          .isThrownBy(stub::spawnChild)
          .withMessageContaining("a guest runs in stub " + stub.pid());
      stop.set(true);
      interrupter.join().interrupt();
      runner.join();
      assertThat(failures).isEmpty();
      stub.spawnChild().close();
    }
  }

  private static boolean refusesACopy(Stub stub) {
    try {
      stub.spawnChild().close();
      return false;
    } catch (IllegalStateException e) {
      return true;
    } catch (StubPoolFullException e) {
      return false; // copies on their way back
    }
  }

  @Test
  void shouldNotHandOnWhatAProgramIsUsing() throws Exception {
    try (StubPool one =
        StubPool.open(StubPoolOptions.builder().name("one").minIdle(0).maxStubs(1).build())) {
      Stub stub = GuestCode.load(one, CODE, CALLS);
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
      Thread runner =
          start(
              failures,
              () ->
                  stub.run(
                      guest -> {
                        guest.registers().rip(CODE);
                        guest.resume();
                        begun.countDown();
                        goOn.await();
                        assertThat(one.tryAcquire()).isNull();
                        return null;
                      }));
      begun.await();
      stub.close();
      CompletableFuture<Stub> next = CompletableFuture.supplyAsync(() -> one.acquire(BOUND));
      Proc.await("a waiter", () -> one.stats().waiting() == 1);
      assertThat(ProcessCalls.threads(stub.pid())).hasSize(2);
      assertThat(next).isNotDone();
      goOn.countDown();
      try (Stub got = next.get(10, TimeUnit.SECONDS)) {
        assertThat(got.pid()).isEqualTo(stub.pid());
        assertThat(ProcessCalls.threads(got.pid())).containsExactly(got.pid());
      }
      runner.join();
      assertThat(failures).isEmpty();
    }
  }

  // ---- what they leave behind ----

  @Test
  void shouldLeaveNothingOfAThousandThreads() throws Exception {
    try (Stub stub = GuestCode.load(pool, CODE, CALLS)) {
      runEight(stub, 25);
      System.gc();
      long descriptors = Descriptors.count();
      int threads = Thread.activeCount();
      int tasks = ProcessCalls.threads(ProcessCalls.pid()).length;
      long heap = usedHeap();
      runEight(stub, 125);
      assertThat(ProcessCalls.threads(stub.pid())).containsExactly(stub.pid());
      assertThat(Internals.process(stub).hasRuns()).isFalse();
      assertThat(Descriptors.count()).isLessThanOrEqualTo(descriptors + 2);
      assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + GUESTS);
      assertThat(ProcessCalls.threads(ProcessCalls.pid()).length)
          .isLessThanOrEqualTo(tasks + GUESTS + 4); // and some of the JVM's own
      assertThat(usedHeap() - heap).isLessThan(2L << 20);
    }
  }

  private static long usedHeap() {
    System.gc();
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private static void runEight(Stub stub, int times) throws InterruptedException {
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < GUESTS; i++) {
      threads.add(
          start(
              failures,
              () -> {
                for (int run = 0; run < times; run++) {
                  stub.run(
                      guest -> {
                        guest.registers().rip(CODE);
                        return guest.resume();
                      },
                      LIMIT);
                }
              }));
    }
    join(threads);
    assertThat(failures).isEmpty();
  }

  /** Far jumps are for everybody: the thread is ended wherever it is. */
  @Test
  void shouldRetireWhoeverIsIn32BitCode() {
    // jmp far [rip]: to CODE + 16 in 32-bit code, which calls by int 0x80
    byte[] code =
        HexFormat.of().parseHex("ff2d00000000" + "10001000" + "2300" + "90909090" + "cd80ebfc");
    try (Stub stub = GuestCode.load(pool, CODE, code)) {
      for (int run = 0; run < 3; run++) {
        long start = System.nanoTime();
        Trap trap =
            stub.run(
                guest -> {
                  guest.registers().rip(CODE).rax(20);
                  return guest.resume();
                });
        assertThat(((Trap.SystemCall) trap).abi()).isEqualTo(SystemCallAbi.I386);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
        assertThat(ProcessCalls.threads(stub.pid())).containsExactly(stub.pid());
      }
    }
  }

  // ---- how they end ----

  enum End {
    KILL_OF_A_THREAD,
    KILL_OF_THE_STUB,
    STUB_KILL,
    STUB_CLOSE,
    POOL_CLOSE;

    boolean kills() {
      return this == KILL_OF_A_THREAD || this == KILL_OF_THE_STUB || this == STUB_KILL;
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldEndAllOfThem(End end) throws Exception {
    long seed = new Random().nextLong();
    int rounds = Effort.cases(5, 200);
    System.out.printf("GuestThreadsIT: %s, seed %d, %d rounds%n", end, seed, rounds);
    Random random = new Random(seed);
    for (int round = 0; round < rounds; round++) {
      String where = end + ", round " + round + ", seed " + seed;
      Set<Integer> children = Proc.children();
      try (StubPool mine =
          StubPool.open(StubPoolOptions.builder().name("ends").minIdle(0).maxStubs(2).build())) {
        new Ending(mine, end, random, where).run(round == 0);
        if (end != End.POOL_CLOSE) {
          try (Stub next = GuestCode.load(mine, CODE, CALLS)) {
            Trap trap = next.run(GuestThreadsIT::callOnce, LIMIT);
            assertThat(trap).as(where).isInstanceOf(Trap.SystemCall.class);
          }
          assertThat(mine.stats().leased()).as(where).isZero();
        }
      }
      assertThat(Proc.children()).as(where).isEqualTo(children);
    }
  }

  private static Trap callOnce(Guest guest) {
    guest.registers().rip(CODE);
    return guest.resume();
  }

  /** Eight guests that are busy with all there is, and their end. */
  private static final class Ending {
    private static final int CALL = 0;
    private static final int COMPUTE = 1;
    private static final int FAULT = 2;
    private static final int KINDS = 4;

    private final StubPool pool;
    private final End end;
    private final Random random;
    private final String where;
    private final Stub stub;
    private final CountDownLatch begun = new CountDownLatch(GUESTS);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Queue<Object> outcomes = new ConcurrentLinkedQueue<>();

    Ending(StubPool pool, End end, Random random, String where) {
      this.pool = pool;
      this.end = end;
      this.random = random;
      this.where = where;
      this.stub = GuestCode.load(pool, CODE, CALLS);
      stub.memory().mapAnonymous(DATA, AddressSpace.PAGE_SIZE, Protection.READ_WRITE_EXECUTE);
      stub.memory().write(DATA, SPIN);
      stub.memory().write(DATA + 16, FAULTS);
    }

    void run(boolean late) throws Exception {
      List<Thread> threads = new ArrayList<>();
      Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
      for (int i = 0; i < GUESTS; i++) {
        int kind = i % KINDS;
        threads.add(start(failures, () -> outcomes.add(outcome(kind))));
      }
      if (random.nextBoolean()) {
        threads.add(start(failures, this::callFromOutside)); // else nobody asks the stub anything
      }
      assertThat(begun.await(20, TimeUnit.SECONDS)).as(where).isTrue();
      for (int pause = random.nextInt(100_000); pause > 0; pause--) {
        Thread.onSpinWait();
      }
      CompletableFuture<String> death = stub.onDeath().toCompletableFuture();
      long start = System.nanoTime();
      Thread closer = start(failures, this::end);
      if (end == End.POOL_CLOSE && !late) {
        Proc.await("the beginning of the end", pool::isClosed);
      } else {
        closer.join();
      }
      if (end.kills()) {
        // Two of the programs still wait for this, with their guests.
        assertThat(death.get(10, TimeUnit.SECONDS)).as(where).isEqualTo("killed by SIGKILL");
      }
      ended.countDown();
      join(threads);
      closer.join();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).as(where).isLessThan(BOUND);
      assertThat(failures).as(where).isEmpty();
      assertThat(outcomes).as(where).hasSize(GUESTS).allMatch(this::isRight);
      stub.close();
      if (end != End.POOL_CLOSE) {
        Proc.await("the end of the lease", () -> pool.stats().leased() == 0);
      }
    }

    private boolean isRight(Object outcome) {
      return switch (end) {
        case KILL_OF_A_THREAD, KILL_OF_THE_STUB, STUB_KILL ->
            outcome.equals(new Trap.Died("killed by SIGKILL"));
        case STUB_CLOSE ->
            outcome instanceof IllegalStateException e && e.getMessage().endsWith(" is closed");
        case POOL_CLOSE -> outcome instanceof StubPoolClosedException;
      };
    }

    private void end() {
      switch (end) {
        case KILL_OF_A_THREAD -> {
          int[] threads = ProcessCalls.threads(stub.pid());
          assertThat(threads).hasSizeGreaterThan(GUESTS);
          int tid = threads[1 + random.nextInt(GUESTS)];
          assertThat(ProcessCalls.signalThread(stub.pid(), tid, Abi.SIGKILL)).isZero();
        }
        case KILL_OF_THE_STUB -> assertThat(ProcessCalls.kill(stub.pid(), Abi.SIGKILL)).isZero();
        case STUB_KILL -> stub.kill();
        case STUB_CLOSE -> stub.close();
        case POOL_CLOSE -> pool.close();
      }
    }

    private void callFromOutside() {
      try {
        while (ended.getCount() > 0) {
          assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
        }
      } catch (StubDiedException e) {
        assertThat(end.kills()).isTrue();
        assertThat(e.pid()).isEqualTo(stub.pid());
      } catch (StubPoolClosedException e) {
        assertThat(end).isEqualTo(End.POOL_CLOSE);
      } catch (IllegalStateException e) {
        assertThat(end).isEqualTo(End.STUB_CLOSE);
      }
    }

    /** The trap that is the last, or what was thrown. */
    private Object outcome(int kind) {
      try {
        return stub.run(guest -> lastTrap(guest, kind), LIMIT);
      } catch (RuntimeException | InterruptedException e) {
        return e;
      }
    }

    private Trap lastTrap(Guest guest, int kind) throws InterruptedException {
      long[] entries = {CODE, DATA, DATA + 16, CODE};
      guest.registers().rip(entries[kind]).rdi(0);
      begun.countDown();
      if (kind > FAULT) {
        ended.await(); // busy with something else when it happens
      }
      while (true) {
        Trap trap = guest.resume();
        if (trap instanceof Trap.Died) {
          return trap;
        }
        switch (kind) {
          case CALL -> {
            assertThat(trap).isInstanceOf(Trap.SystemCall.class);
            guest.complete(0);
          }
          case COMPUTE -> throw new AssertionError(trap.toString());
          case FAULT -> assertThat(((Trap.Fault) trap).address()).hasValue(0);
          default -> assertThat(trap).isInstanceOf(Trap.SystemCall.class);
        }
      }
    }
  }

  /** The kernel does not tell of it before the guest's thread is reaped. */
  @Test
  void shouldTellOfADeathThatNoGuestSees() throws Exception {
    try (Stub stub = GuestCode.load(pool, CODE, CALLS)) {
      CompletableFuture<String> death = stub.onDeath().toCompletableFuture();
      String how =
          stub.run(
              guest -> {
                callOnce(guest);
                assertThat(ProcessCalls.kill(stub.pid(), Abi.SIGKILL)).isZero();
                return death.get(10, TimeUnit.SECONDS);
              });
      assertThat(how).isEqualTo("killed by SIGKILL");
    }
  }

  @Test
  void shouldDieWithTheirJvm() {
    pool.close(); // no stubs but the other's
    Orphans.adopt();
    try {
      for (int round = 0; round < Effort.cases(2, 50); round++) {
        Set<Integer> before = Proc.children();
        try (ChildJvm child = ChildJvm.start(ChildJvm.command(Running.class))) {
          child.await("guests run");
          child.kill();
        }
        assertThat(Orphans.awaitNone(before, BOUND)).as("round %d", round).isEmpty();
      }
    } finally {
      Orphans.disown();
    }
  }

  /** Has eight guests run, for ever. */
  static final class Running {
    public static void main(String[] arguments) throws InterruptedException {
      StubPool pool = StubPool.open(StubPoolOptions.builder().minIdle(2).maxStubs(4).build());
      Stub stub = GuestCode.load(pool, CODE, SPIN);
      CountDownLatch begun = new CountDownLatch(GUESTS);
      for (int i = 0; i < GUESTS; i++) {
        Thread.ofPlatform()
            .start(
                () ->
                    stub.run(
                        guest -> {
                          guest.registers().rip(CODE);
                          begun.countDown();
                          return guest.resume();
                        }));
      }
      begun.await();
      System.out.println("guests run");
    }
  }

  /**
   * A call of a guest's that the kernel holds up is its stub's affair: who wants the same of the
   * stub waits, and the tracer that serves the whole pool does not.
   */
  @Test
  void shouldNotHoldUpThePool() {
    pool.close();
    String output = ChildJvm.run(ChildJvm.command(HeldUp.class)).output();
    HeldCalls.checkOutput(output);
  }

  /** Has a guest, in a JVM of its own, one of whose calls the kernel holds up. */
  static final class HeldUp {
    public static void main(String[] arguments) throws Exception {
      HeldCalls.perform(
          calls -> {
            try (StubPool pool =
                StubPool.open(
                    StubPoolOptions.builder().name("held").minIdle(0).maxStubs(4).build())) {
              holdUp(pool, calls);
            }
          });
    }

    private static void holdUp(StubPool pool, HeldCalls calls) throws Exception {
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch holding = new CountDownLatch(1);
      Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
      List<Thread> threads = new ArrayList<>();
      int[] tids = new int[2];
      try (Stub stub = GuestCode.load(pool, CODE, CALLS);
          Stub other = pool.acquire()) {
        threads.add(
            start(
                failures,
                () ->
                    stub.run(
                        guest -> {
                          tids[0] = ProcessCalls.tid();
                          for (int tid : ProcessCalls.threads(stub.pid())) {
                            tids[1] = tid == stub.pid() ? tids[1] : tid;
                          }
                          begun.countDown();
                          holding.await();
                          map(stub, DATA);
                          return null;
                        },
                        LIMIT)));
        begun.await();
        calls.hold(tids[1]);
        holding.countDown();
        calls.awaitCall();
        HeldCalls.awaitWait(tids[0], tids[1]);
        Thread second = start(failures, () -> map(stub, DATA + AddressSpace.PAGE_SIZE));
        threads.add(second);
        Proc.await("the second call", () -> isParked(second));
        CompletableFuture<Long> pid =
            CompletableFuture.supplyAsync(
                () -> other.syscall(Abi.SYS_getpid), Thread.ofPlatform()::start);
        assertThat(pid.get(5, TimeUnit.SECONDS)).isEqualTo(other.pid());
        assertThat(stub.memory().mappings().getLast().end()).isLessThanOrEqualTo(DATA);
        calls.release();
        join(threads);
        assertThat(failures).isEmpty();
        assertThat(stub.memory().mappings().getLast().end())
            .isEqualTo(DATA + 2 * AddressSpace.PAGE_SIZE);
      }
    }
  }

  private static void map(Stub stub, long address) {
    stub.memory().mapAnonymous(address, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
  }

  private static boolean isParked(Thread thread) {
    return thread.getState() == Thread.State.WAITING
        || thread.getState() == Thread.State.TIMED_WAITING;
  }

  // ---- helpers ----

  private interface Program {
    void run() throws Exception;
  }

  private static Thread start(Queue<Throwable> failures, Program program) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                program.run();
              } catch (Throwable e) {
                failures.add(e);
              }
            });
  }

  private static void join(List<Thread> threads) throws InterruptedException {
    for (Thread thread : threads) {
      assertThat(thread.join(LIMIT.plus(BOUND))).as("%s", thread).isTrue();
    }
  }
}
