package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Signals like those that instructions raise, sent by others: they are not the stub's, and end
 * nothing, neither while a guest runs nor while its thread goes from one tracer to another.
 */
class ForeignSignalIT {
  private static final long CODE = 0x10_0000;
  private static final int DENIED = 257; // openat(2)
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private static final int[] SIGNALS = {
    Abi.SIGSYS, Abi.SIGTRAP, Abi.SIGSEGV, Abi.SIGBUS, Abi.SIGILL, Abi.SIGFPE
  };

  /** syscall; jmp -4. */
  private static final byte[] CALLS = HexFormat.of().parseHex("0f05ebfc");

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("signals").minIdle(0).maxStubs(2).build());

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  private interface Body {
    void run(Random random);
  }

  /** Does something while signals rain on all threads of a process. */
  private static void inTheRain(int pid, Body body) throws InterruptedException {
    long seed = new Random().nextLong();
    System.out.printf("ForeignSignalIT: seed %d%n", seed);
    Random random = new Random(seed);
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong sent = new AtomicLong();
    Thread sender =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!over.get()) {
                    int signal = SIGNALS[random.nextInt(SIGNALS.length)];
                    if (random.nextBoolean()) {
                      ProcessCalls.kill(pid, signal);
                    } else {
                      for (int tid : ProcessCalls.threads(pid)) {
                        ProcessCalls.signalThread(pid, tid, signal); // it may have ended
                      }
                    }
                    sent.incrementAndGet();
                    Thread.yield();
                  }
                });
    try {
      body.run(new Random(seed + 1));
    } finally {
      over.set(true);
      sender.join();
    }
    assertThat(sent.get()).isPositive();
  }

  @Test
  void shouldEndNoRun() throws InterruptedException {
    int rounds = Effort.cases(300, 20_000);
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(CODE, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
      stub.memory().write(CODE, CALLS);
      stub.memory().protect(CODE, AddressSpace.PAGE_SIZE, Protection.READ_EXECUTE);
      inTheRain(
          stub.pid(),
          random -> {
            for (int round = 0; round < rounds; round++) {
              int calls = random.nextInt(5);
              int done = stub.run(guest -> call(guest, calls), LIMIT);
              assertThat(done).isEqualTo(calls);
            }
          });
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      assertThat(pool.stats().died()).isZero();
    }
  }

  private static int call(Guest guest, int calls) {
    guest.registers().rip(CODE).rax(1);
    int done = 0;
    while (done < calls) {
      Trap trap = guest.resume();
      assertThat(trap).isInstanceOf(Trap.SystemCall.class);
      done++;
      guest.complete(done + 1);
    }
    return done;
  }

  /** SIGSYS is what tells of a denied call: that of others denies none. */
  @Test
  void shouldBeToldFromADenial() throws InterruptedException {
    int rounds = Effort.cases(3_000, 200_000);
    try (Stub stub = pool.acquire()) {
      inTheRain(
          stub.pid(),
          random -> {
            for (int round = 0; round < rounds; round++) {
              if (random.nextInt(4) == 0) {
                assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
              } else {
                assertThatThrownBy(() -> stub.syscall(DENIED))
                    .isInstanceOf(DeniedSystemCallException.class);
              }
            }
          });
    }
  }
}
