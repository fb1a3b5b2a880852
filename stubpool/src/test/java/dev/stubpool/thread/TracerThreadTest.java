package dev.stubpool.thread;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Logs;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The thread that tasks are offered to: whether it sleeps, wakes and ends as it should. */
class TracerThreadTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Ends the threads of a test that failed. */
  private volatile boolean over;

  private final Recorder work = new Recorder();
  private final TracerThread tracer = new TracerThread("tested", work);

  @AfterEach
  void end() {
    over = true;
    work.gate.countDown();
    if (work.thread != null) {
      tracer.stop();
      assertThat(tracer.awaitEnd(PATIENCE)).isTrue();
    }
  }

  /** Counts what the thread does, and can hold it up in a turn. */
  private static final class Recorder implements TracerThread.Work {
    final AtomicInteger turns = new AtomicInteger();
    final AtomicInteger sleeps = new AtomicInteger();
    final AtomicInteger ends = new AtomicInteger();
    final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
    final AtomicBoolean idle = new AtomicBoolean(true);
    volatile boolean good = true;
    volatile CountDownLatch gate = new CountDownLatch(0);
    volatile Throwable failure;
    volatile Error mute;
    final AtomicInteger failingEnds = new AtomicInteger();
    volatile Thread thread;

    @Override
    public boolean begin() {
      thread = Thread.currentThread();
      return good;
    }

    @Override
    public boolean turn() {
      turns.incrementAndGet();
      Throwable thrown = failure;
      failure = null;
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown instanceof RuntimeException exception) {
        throw exception;
      }
      while (gate.getCount() > 0) {
        Thread.onSpinWait(); // not parked: a permit that somebody left would end that
      }
      return false;
    }

    @Override
    public void failed(Throwable e) {
      failures.add(e.getMessage());
      if (mute != null) {
        throw mute;
      }
    }

    @Override
    public boolean isIdle() {
      return idle.get();
    }

    @Override
    public long patienceNanos() {
      sleeps.incrementAndGet();
      return Duration.ofHours(1).toNanos();
    }

    @Override
    public void end() {
      ends.incrementAndGet();
      if (failingEnds.getAndDecrement() > 0) {
        throw new OutOfMemoryError("an end");
      }
    }

    boolean isAsleep() {
      Thread known = thread;
      return known != null && known.getState() == Thread.State.TIMED_WAITING;
    }
  }

  private void awaitSleep(int sleeps) {
    Proc.await("sleep", () -> work.sleeps.get() >= sleeps && work.isAsleep());
  }

  /** Holds up the next turn. */
  private CountDownLatch hold() {
    CountDownLatch gate = new CountDownLatch(1);
    work.gate = gate;
    return gate;
  }

  private void awaitTurn(int turns) {
    Proc.await("a turn", () -> work.turns.get() >= turns);
  }

  @Test
  void shouldRunTasksInOrderAndSleepBetween() throws InterruptedException {
    tracer.start();
    for (int round = 1; round <= 5; round++) {
      awaitSleep(round);
      List<Integer> seen = new ArrayList<>();
      CountDownLatch done = new CountDownLatch(100);
      for (int i = 0; i < 100; i++) {
        int number = i;
        tracer.offer(
            () -> {
              seen.add(number);
              done.countDown();
            });
      }
      assertThat(done.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(seen).isSorted().hasSize(100);
    }
  }

  /**
   * Who finds the thread awake does not wake it. A permit that was left for it all the same would
   * end its next sleep at once.
   */
  @Test
  void shouldLeaveAnAwakeThreadAlone() {
    tracer.start();
    awaitSleep(1);
    int turns = work.turns.get();
    CountDownLatch gate = hold();
    tracer.wake();
    awaitTurn(turns + 1);
    AtomicInteger ran = new AtomicInteger();
    for (int i = 0; i < 1_000; i++) {
      tracer.wake();
      tracer.offer(ran::incrementAndGet);
    }
    gate.countDown();
    Proc.await("the tasks", () -> ran.get() == 1_000);
    awaitSleep(2);
    assertStaysAsleep(2);
  }

  /** The same where nobody woke it. */
  @Test
  void shouldLeaveAThreadAloneThatAwokeByItself() {
    tracer.start();
    awaitSleep(1);
    int turns = work.turns.get();
    CountDownLatch gate = hold();
    work.thread.interrupt();
    awaitTurn(turns + 1);
    tracer.wake();
    gate.countDown();
    awaitSleep(2);
    assertStaysAsleep(2);
  }

  @Test
  void shouldHaveOneWakerASleep() {
    SleepFlag flag = new SleepFlag();
    assertThat(flag.wake()).as("awake").isFalse();
    for (int sleep = 0; sleep < 3; sleep++) {
      flag.prepareToSleep();
      assertThat(flag.wake()).as("the first").isTrue();
      assertThat(flag.wake()).as("all others").isFalse();
      assertThat(flag.wake()).as("all others").isFalse();
      flag.awake();
      assertThat(flag.wake()).as("awake").isFalse();
      flag.prepareToSleep();
      flag.awake(); // by itself
      assertThat(flag.wake()).as("awake").isFalse();
    }
  }

  /** Of all who find the thread asleep one wakes it: else permits would be left now and then. */
  @Test
  void shouldBeWokenOnceByMany() throws InterruptedException {
    int rounds = Effort.cases(300, 20_000);
    int threads = 4;
    AtomicInteger round = new AtomicInteger();
    AtomicInteger woken = new AtomicInteger();
    List<Thread> wakers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      wakers.add(
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    for (int mine = 1; mine <= rounds; mine++) {
                      while (round.get() < mine && !over) {
                        Thread.onSpinWait();
                      }
                      tracer.wake();
                      woken.incrementAndGet();
                    }
                  }));
    }
    tracer.start();
    awaitSleep(1);
    for (int now = 1; now <= rounds; now++) {
      CountDownLatch gate = hold();
      round.set(now);
      int all = now * threads;
      Proc.await("all wakers", () -> woken.get() == all);
      gate.countDown();
      awaitSleep(now + 1);
      assertThat(work.sleeps).as("sleeps after %d wakings", now).hasValue(now + 1);
    }
    for (Thread waker : wakers) {
      waker.join();
    }
    assertStaysAsleep(rounds + 1);
  }

  /** It sleeps, and has not begun to more often than so. */
  private void assertStaysAsleep(int sleeps) {
    assertThat(work.isAsleep()).isTrue();
    assertThat(work.sleeps).hasValue(sleeps);
    int turns = work.turns.get();
    tracer.wake();
    awaitSleep(sleeps + 1);
    assertThat(work.turns).as("one waking, one turn").hasValue(turns + 1);
  }

  @Test
  void shouldMissNoOffer() throws InterruptedException {
    int rounds = Effort.cases(30_000, 1_000_000);
    tracer.start();
    AtomicInteger ran = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    for (int round = 0; round < rounds && !over; round++) {
                      AtomicBoolean done = new AtomicBoolean();
                      tracer.offer(
                          () -> {
                            ran.incrementAndGet();
                            done.set(true);
                          });
                      // Without parking, so that the next offer often meets the going to sleep.
                      while (!done.get() && !over) {
                        Thread.onSpinWait();
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      assertThat(thread.join(PATIENCE.multipliedBy(rounds > 100_000 ? 30 : 1)))
          .as("an offer that the thread slept over")
          .isTrue();
    }
    assertThat(ran).hasValue(2 * rounds);
  }

  @Test
  void shouldNotSleepWhileThereIsWork() {
    work.idle.set(false);
    tracer.start();
    awaitTurn(100);
    assertThat(work.sleeps).hasValue(0);
    work.idle.set(true);
    awaitSleep(1);
  }

  @Test
  void shouldSurviveWhatFails() {
    tracer.start();
    awaitSleep(1);
    tracer.offer(
        () -> {
          throw new IllegalStateException("a task");
        });
    Proc.await("the task", () -> work.failures.contains("a task"));
    work.failure = new IllegalArgumentException("a turn");
    work.idle.set(false); // before the wake, which finds the thread asleep or about to look
    tracer.wake();
    Proc.await("the turn", () -> work.failures.contains("a turn"));
    work.idle.set(true);
    AtomicBoolean ran = new AtomicBoolean();
    tracer.offer(() -> ran.set(true));
    Proc.await("what comes next", ran::get);
    assertThat(tracer.hasEnded()).isFalse();
  }

  /** An Error is no reason to leave all that is traced by the thread alone, told or not. */
  @Test
  void shouldSurviveErrors() {
    try (Logs logs = new Logs(TracerThread.class)) {
      tracer.start();
      awaitSleep(1);
      for (int round = 0; round < 2; round++) {
        String name = "round " + round;
        tracer.offer(
            () -> {
              throw new OutOfMemoryError("a task, " + name);
            });
        Proc.await("the task", () -> work.failures.contains("a task, " + name));
        work.failure = new NoClassDefFoundError("a turn, " + name);
        work.idle.set(false);
        tracer.wake();
        Proc.await("the turn", () -> work.failures.contains("a turn, " + name));
        work.idle.set(true);
        work.mute = new OutOfMemoryError("telling of it");
      }
      AtomicBoolean ran = new AtomicBoolean();
      tracer.offer(() -> ran.set(true));
      Proc.await("what comes next", ran::get);
      assertThat(tracer.hasEnded()).isFalse();
      assertThat(logs.lines()).contains("telling of it");
    }
  }

  /** What is to be cleaned up is cleaned up, as soon as there is memory to. */
  @Test
  void shouldEndAgainWhereMemoryWasMissing() {
    try (Logs logs = new Logs(TracerThread.class)) {
      tracer.start();
      awaitSleep(1);
      work.failingEnds.set(3);
      Fate queued = new Fate();
      tracer.offer(
          () -> {
            tracer.stop();
            tracer.offer(queued);
          });
      assertThat(tracer.awaitEnd(PATIENCE)).isTrue();
      assertThat(work.ends).hasValue(4);
      assertThat(logs.lines()).contains("an end");
    }
  }

  @Test
  void shouldIgnoreInterrupts() {
    tracer.start();
    awaitSleep(1);
    work.thread.interrupt();
    awaitSleep(2);
    AtomicBoolean ran = new AtomicBoolean();
    tracer.offer(() -> ran.set(true));
    Proc.await("a task", ran::get);
    awaitSleep(3);
    assertThat(work.thread.isInterrupted()).isFalse();
  }

  /** One that is run, or abandoned. */
  private static final class Fate implements TracerThread.Task {
    final AtomicInteger runs = new AtomicInteger();
    final AtomicInteger abandoned = new AtomicInteger();

    @Override
    public void run() {
      runs.incrementAndGet();
    }

    @Override
    public void abandon() {
      abandoned.incrementAndGet();
    }
  }

  @Test
  void shouldAbandonWhatItDoesNotRun() {
    tracer.start();
    awaitSleep(1);
    CountDownLatch gate = hold();
    tracer.wake();
    awaitTurn(2);
    Fate queued = new Fate();
    tracer.offer(queued);
    tracer.stop();
    gate.countDown();
    assertThat(tracer.awaitEnd(PATIENCE)).isTrue();
    assertThat(tracer.hasEnded()).isTrue();
    assertThat(work.ends).hasValue(1);
    assertThat(queued.runs.get()).isZero();
    assertThat(queued.abandoned.get()).isPositive();
    Fate late = new Fate();
    tracer.offer(late);
    assertThat(late.abandoned.get()).isPositive();
  }

  @Test
  void shouldAbandonOrRunWhateverIsOfferedWhileItEnds() throws InterruptedException {
    int rounds = Effort.cases(300, 5_000);
    for (int round = 0; round < rounds; round++) {
      Recorder recorder = new Recorder();
      TracerThread ending = new TracerThread("ending", recorder);
      ending.start();
      List<Fate> fates = new ArrayList<>();
      CountDownLatch offered = new CountDownLatch(5);
      Thread offering =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    for (int i = 0; i < 50; i++) {
                      Fate fate = new Fate();
                      fates.add(fate);
                      ending.offer(fate);
                      offered.countDown();
                    }
                  });
      assertThat(offered.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      ending.stop();
      assertThat(ending.awaitEnd(PATIENCE)).isTrue();
      offering.join();
      assertThat(fates)
          .hasSize(50)
          .allMatch(fate -> fate.runs.get() + fate.abandoned.get() > 0 && fate.runs.get() < 2);
    }
  }

  @Test
  void shouldEndWhereItCannotBegin() {
    work.good = false;
    Fate fate = new Fate();
    tracer.offer(fate);
    tracer.start();
    assertThat(tracer.awaitEnd(PATIENCE)).isTrue();
    assertThat(work.turns).hasValue(0);
    assertThat(work.ends).hasValue(1);
    assertThat(fate.abandoned.get()).isPositive();
    assertThat(tracer.isCurrent()).isFalse();
  }

  @Test
  void shouldKeepTheInterruptOfWhoAwaitsItsEnd() {
    tracer.start();
    awaitSleep(1);
    Thread.currentThread().interrupt();
    assertThat(tracer.awaitEnd(Duration.ofMillis(1))).isFalse();
    assertThat(Thread.interrupted()).isTrue();
  }
}
