package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/**
 * No interrupt is lost, whatever it meets: traps, calls that are run in the guest's thread and in
 * the stub's first, the beginnings and ends of runs. The guest computes for ever unless it is
 * interrupted, so a lost one is seen as a run that exceeds its limit.
 */
class GuestInterruptIT {
  private static final int INTERRUPTERS = 3;
  private static final long CODE = 0x10_0000;
  private static final long DATA = 0x20_0000;
  private static final long ELSEWHERE = 0x4000_0000;
  private static final long BIG = 256 * AddressSpace.PAGE_SIZE;

  /** syscall; mov rcx, rdi; dec rcx; jnz -5; jmp -12. With rdi = 0 it does not end. */
  private static final byte[] CALLS_AND_SPINS = HexFormat.of().parseHex("0f054889f948ffc975fbebf4");

  /** jmp -2. */
  private static final byte[] SPIN = HexFormat.of().parseHex("ebfe");

  /** Longer than a machine under load needs for one run, shorter than the patience of a build. */
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private static StubPool open() {
    return StubPool.open(
        StubPoolOptions.builder().name("interrupts").minIdle(0).maxStubs(4).build());
  }

  @Test
  void shouldLoseNoInterrupt() {
    storm(new Random().nextLong(), Effort.cases(20_000, 1_000_000));
    assertThat(Proc.stubs()).isEmpty();
  }

  /** SIGURG is queued without memory that the limit counts. */
  @Test
  void shouldLoseNoneWhereNoSignalsMayBeQueued() {
    List<String> command = new ArrayList<>(List.of("prlimit", "--sigpending=0:0"));
    command.addAll(ChildJvm.command(Storm.class, Integer.toString(Effort.cases(1_000, 100_000))));
    ChildJvm.Outcome outcome = ChildJvm.run(command, Duration.ofMinutes(5));
    System.out.print(outcome.output());
    assertThat(outcome.output()).contains("limit 0/").contains("none lost");
    assertThat(outcome.status()).isZero();
  }

  @Test
  void shouldLoseNoneWithoutPrivileges() {
    String count = Integer.toString(Effort.cases(1_000, 20_000));
    assertThat(Unprivileged.run("interrupts", List.of(), Storm.class, count)).contains("none lost");
  }

  /** The storm alone, in a JVM of its own. */
  static final class Storm {
    public static void main(String[] arguments) {
      StubImage.get();
      String queued = Proc.status(ProcessCalls.pid(), "SigQ");
      System.out.println("limit " + queued.substring(queued.indexOf('/') + 1) + "/");
      storm(new Random().nextLong(), Integer.parseInt(arguments[0]));
      System.out.println(Proc.stubs().isEmpty() ? "none lost" : "stubs left: " + Proc.stubs());
    }
  }

  /** What the interrupters have done to one run. */
  private static final class Account {
    final Guest.Interrupter interrupter;
    final AtomicLongArray begun = new AtomicLongArray(INTERRUPTERS);
    final AtomicLongArray done = new AtomicLongArray(INTERRUPTERS);

    Account(Guest.Interrupter interrupter) {
      this.interrupter = interrupter;
    }

    void interrupt(int by) {
      long number = begun.incrementAndGet(by);
      interrupter.interrupt();
      done.set(by, number);
    }

    static long[] copy(AtomicLongArray counts) {
      long[] copy = new long[INTERRUPTERS];
      Arrays.setAll(copy, counts::get);
      return copy;
    }
  }

  private static void storm(long seed, int interrupts) {
    System.out.printf("GuestInterruptIT: seed %d, %d interrupts%n", seed, interrupts);
    AtomicReference<Account> account = new AtomicReference<>();
    AtomicBoolean over = new AtomicBoolean();
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    long runs = 0;
    Counts counts = new Counts();
    try (StubPool pool = open();
        Stub stub = GuestCode.load(pool, CODE, CALLS_AND_SPINS)) {
      for (int i = 0; i < INTERRUPTERS; i++) {
        int by = i;
        Random random = new Random(seed + 1 + i);
        threads.add(
            Thread.ofPlatform()
                .start(guarded(failures, over, () -> interrupt(by, random, account, over))));
      }
      Random others = new Random(seed - 1);
      threads.add(
          Thread.ofPlatform()
              .start(guarded(failures, over, () -> callFromOutside(stub, others, over))));
      Random random = new Random(seed);
      try {
        while (counts.interrupted < interrupts && failures.isEmpty()) {
          stub.run(guest -> oneRun(guest, random, account, counts), LIMIT);
          runs++;
        }
      } finally {
        over.set(true);
        join(threads);
      }
      assertThat(failures).as("seed %d", seed).isEmpty();
      assertThat(counts.spins).isPositive();
    }
    System.out.printf(
        "GuestInterruptIT: %d runs, %d traps of them %d interrupts, %d endless loops%n",
        runs, counts.traps, counts.interrupted, counts.spins);
  }

  private static Runnable guarded(Queue<Throwable> failures, AtomicBoolean over, Runnable program) {
    return () -> {
      try {
        program.run();
      } catch (Throwable e) {
        failures.add(e);
        over.set(true);
      }
    };
  }

  private static void join(List<Thread> threads) {
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** Interrupts whatever runs, also what just ended. Never stops before all is over. */
  private static void interrupt(
      int by, Random random, AtomicReference<Account> account, AtomicBoolean over) {
    while (!over.get()) {
      Account now = account.get();
      if (now == null) {
        Thread.onSpinWait();
        continue;
      }
      now.interrupt(by);
      for (int pause = random.nextInt(3_000); pause > 0; pause--) {
        Thread.onSpinWait();
      }
      if (random.nextInt(4) == 0) {
        Thread.yield();
      }
    }
  }

  /** Has the stub's first thread do short calls, and long ones for which its tracer must block. */
  private static void callFromOutside(Stub stub, Random random, AtomicBoolean over) {
    int populate = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | Abi.MAP_POPULATE;
    while (!over.get()) {
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      if (random.nextInt(20) == 0) {
        long size = BIG * (1 + random.nextInt(8));
        long address =
            stub.syscall(
                Abi.SYS_mmap, ELSEWHERE, size, Abi.PROT_READ | Abi.PROT_WRITE, populate, -1, 0);
        assertThat(address).isEqualTo(ELSEWHERE);
        assertThat(stub.syscall(Abi.SYS_munmap, ELSEWHERE, size)).isZero();
      }
      if (random.nextInt(4) == 0) {
        Thread.yield();
      }
    }
  }

  /** What the runs have seen. */
  private static final class Counts {
    long traps;
    long interrupted;
    long spins;
  }

  private static Object oneRun(
      Guest guest, Random random, AtomicReference<Account> current, Counts counts) {
    Account account = new Account(guest.interrupter());
    current.set(account);
    long[] served = new long[INTERRUPTERS];
    guest.registers().rip(CODE).rdi(1);
    for (int i = random.nextInt(2_000); i > 0; i--) {
      long[] done = Account.copy(account.done);
      Trap trap = guest.resume();
      counts.traps++;
      if (trap instanceof Trap.Interrupted) {
        counts.interrupted++;
        served = Account.copy(account.begun); // whatever began before this returned is served
        if (guest.registers().rip() > CODE + 2) {
          guest.registers().rcx(1 + random.nextInt(100)); // out of an endless loop
        }
      } else {
        for (int by = 0; by < INTERRUPTERS; by++) {
          assertThat(done[by]).as("returned before %s", trap).isLessThanOrEqualTo(served[by]);
        }
        assertThat(trap).isInstanceOf(Trap.SystemCall.class);
        boolean endless = random.nextInt(3) == 0;
        counts.spins += endless ? 1 : 0;
        guest.registers().rdi(endless ? 0 : 1 + random.nextInt(2_000));
        guest.complete(i);
      }
      callFromInside(guest, random);
    }
    return null;
  }

  private static void callFromInside(Guest guest, Random random) {
    switch (random.nextInt(6)) {
      case 0 -> assertThat(guest.stub().syscall(Abi.SYS_getpid)).isEqualTo(guest.stub().pid());
      case 1 -> {
        guest.memory().mapAnonymous(DATA, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
        byte[] bytes = new byte[32];
        assertThat(guest.memory().read(DATA, bytes.length)).isEqualTo(bytes);
        random.nextBytes(bytes);
        guest.memory().write(DATA, bytes);
        assertThat(guest.memory().read(DATA, bytes.length)).isEqualTo(bytes);
        guest.memory().unmap(DATA, AddressSpace.PAGE_SIZE);
      }
      default -> {}
    }
  }

  /** One interrupt a time: each is answered by exactly the resume that is under way. */
  @Test
  void shouldAnswerEachInterrupt() throws InterruptedException {
    int rounds = Effort.cases(2_000, 200_000);
    AtomicLong answers = new AtomicLong();
    AtomicReference<Guest.Interrupter> interrupter = new AtomicReference<>();
    AtomicBoolean failed = new AtomicBoolean();
    try (StubPool pool = open();
        Stub stub = GuestCode.load(pool, CODE, SPIN)) {
      Thread asker =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (interrupter.get() == null && !failed.get()) {
                      Thread.onSpinWait();
                    }
                    for (long asked = 1; asked <= rounds && !failed.get(); asked++) {
                      interrupter.get().interrupt();
                      while (answers.get() < asked && !failed.get()) {
                        Thread.yield();
                      }
                    }
                  });
      try {
        stub.run(
            guest -> {
              guest.registers().rip(CODE);
              interrupter.set(guest.interrupter());
              for (int i = 0; i < rounds; i++) {
                assertThat(guest.resume()).isInstanceOf(Trap.Interrupted.class);
                answers.incrementAndGet();
              }
              return null;
            },
            Duration.ofMinutes(5));
      } finally {
        failed.set(true);
        asker.join();
      }
      assertThat(answers.get()).isEqualTo(rounds);
    }
  }

  /** What others send is not the guest's, and ends nothing. */
  @Test
  void shouldIgnoreSignalsOfOthers() throws InterruptedException {
    int sigusr1 = 10;
    int sigterm = 15;
    int sigcont = 18;
    int sigstop = 19;
    int[] signals = {sigusr1, sigterm, sigcont, sigstop, Abi.SIGURG};
    long seed = new Random().nextLong();
    int rounds = Effort.cases(3_000, 100_000);
    System.out.printf("GuestInterruptIT: signals, seed %d, %d system calls%n", seed, rounds);
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong sent = new AtomicLong();
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    try (StubPool pool = open();
        Stub stub = GuestCode.load(pool, CODE, CALLS_AND_SPINS)) {
      int pid = stub.pid();
      Random random = new Random(seed);
      Thread sender =
          Thread.ofPlatform()
              .start(
                  guarded(
                      failures,
                      over,
                      () -> {
                        while (!over.get()) {
                          int signal = signals[random.nextInt(signals.length)];
                          if (random.nextBoolean()) {
                            assertThat(ProcessCalls.kill(pid, signal)).isZero();
                          } else {
                            for (int tid : ProcessCalls.threads(pid)) {
                              ProcessCalls.signalThread(pid, tid, signal); // it may have ended
                            }
                          }
                          sent.incrementAndGet();
                          Thread.yield();
                        }
                      }));
      Random mine = new Random(seed + 1);
      try {
        for (int done = 0; done < rounds; ) {
          int most = Math.min(rounds - done, 1 + mine.nextInt(300));
          done += stub.run(guest -> calls(guest, mine, most), LIMIT);
          assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(pid);
        }
      } finally {
        over.set(true);
        sender.join();
      }
      assertThat(failures).as("seed %d", seed).isEmpty();
      assertThat(sent.get()).isPositive();
      assertThat(stub.state()).isEqualTo(StubState.LEASED);
      System.out.printf("GuestInterruptIT: %d signals of others%n", sent.get());
    }
    assertThat(Proc.stubs()).isEmpty();
  }

  private static int calls(Guest guest, Random random, int count) {
    guest.registers().rip(CODE).rdi(1).rax(1);
    for (int i = 1; i <= count; i++) {
      Trap trap = guest.resume();
      while (trap instanceof Trap.Interrupted) { // SIGURG of others cannot be told from ours
        trap = guest.resume();
      }
      assertThat(trap).isInstanceOf(Trap.SystemCall.class);
      assertThat(((Trap.SystemCall) trap).number()).isEqualTo(i);
      guest.registers().rdi(1 + random.nextInt(2_000));
      guest.complete(i + 1);
      if (random.nextInt(4) == 0) {
        assertThat(guest.stub().syscall(Abi.SYS_getpid)).isEqualTo(guest.stub().pid());
      }
    }
    return count;
  }
}
