package dev.stubpool.forge;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.StubDiedException;
import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.support.HeldDeath;
import dev.stubpool.support.UntracedThread;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Injected calls that are disturbed: by signals, by death, by nothing happening at all. */
public class InjectionIT {
  private static final String STEP = "testing";
  private static final int SIGCONT = 18;
  private static final int SIGUSR1 = 10;

  @Test
  void shouldMakeAnInterruptedCallAgainExactlyOnceInEffect() throws Exception {
    try (TracedStub stubs = new TracedStub();
        Arena arena = Arena.ofShared()) {
      Tracee stub = stubs.forge();
      long page = 0x1000_0000L;
      long flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
      stubs.tracer.inject(stub, Abi.SYS_mmap, page, Abi.IMAGE_PAGE, 3, flags, -1, 0, STEP);
      // A wait of 300 ms that only its timeout ends. Interrupted, it becomes restart_syscall and
      // goes on.
      MemorySegment timeout = arena.allocate(16, 8);
      timeout.set(JAVA_LONG, 8, 300_000_000);
      MemoryCalls.write(stub.pid(), page, timeout);
      AtomicBoolean over = new AtomicBoolean();
      AtomicLong sent = new AtomicLong();
      Thread sender =
          Thread.ofPlatform()
              .start(
                  () -> {
                    int[] signals = {
                      Abi.SIGURG, Abi.SIGTRAP, Abi.SIGSYS, Abi.SIGSTOP, SIGCONT, SIGUSR1
                    };
                    for (int i = 0; !over.get(); i++) {
                      ProcessCalls.kill(stub.pid(), signals[i % signals.length]);
                      sent.incrementAndGet();
                      Thread.yield();
                    }
                  });
      long start = System.nanoTime();
      long result =
          stubs.tracer.inject(
              stub,
              Abi.SYS_futex,
              stubs.image.address(ImageSymbols.STUB_PARK_WORD),
              Abi.FUTEX_WAIT_PRIVATE,
              0,
              page,
              0,
              0,
              STEP);
      long took = System.nanoTime() - start;
      over.set(true);
      sender.join();
      assertThat(result).isEqualTo(-Errno.ETIMEDOUT);
      assertThat(took).isBetween(300_000_000L, 2_000_000_000L);
      assertThat(sent.get()).isGreaterThan(10);
      assertThat(stubs.tracer.inject(stub, Abi.SYS_getpid, 0, 0, 0, 0, 0, 0, STEP))
          .isEqualTo(stub.pid());
    }
  }

  @Test
  void shouldGiveRightResultsUnderForeignSignals() throws Exception {
    try (TracedStub stubs = new TracedStub()) {
      Tracee stub = stubs.forge();
      AtomicBoolean over = new AtomicBoolean();
      long seed = new Random().nextLong();
      Thread sender =
          Thread.ofPlatform()
              .start(
                  () -> {
                    Random random = new Random(seed);
                    int[] signals = {
                      Abi.SIGURG, Abi.SIGTRAP, Abi.SIGSYS, Abi.SIGSTOP, SIGCONT, SIGUSR1
                    };
                    while (!over.get()) {
                      ProcessCalls.kill(stub.pid(), signals[random.nextInt(signals.length)]);
                    }
                  });
      int rounds = Effort.cases(5_000, 200_000);
      for (int i = 0; i < rounds; i++) {
        assertThat(stubs.tracer.inject(stub, Abi.SYS_getpid, 0, 0, 0, 0, 0, 0, STEP))
            .as("round %d, seed %d", i, seed)
            .isEqualTo(stub.pid());
      }
      over.set(true);
      sender.join();
    }
  }

  @Test
  void shouldKillWhatDoesNotStop() {
    try (TracedStub stubs = new TracedStub(Duration.ofMillis(300))) {
      Tracee stub = stubs.forge();
      long start = System.nanoTime();
      assertThatThrownBy(() -> waitForEver(stubs, stub))
          .isInstanceOf(StubDiedException.class)
          .hasMessage("stub %d is dead (killed by SIGKILL) while %s".formatted(stub.pid(), STEP));
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
      Tracee next = stubs.forge();
      assertThat(stubs.tracer.inject(next, Abi.SYS_getpid, 0, 0, 0, 0, 0, 0, STEP))
          .isEqualTo(next.pid());
    }
  }

  private static void waitForEver(TracedStub stubs, Tracee stub) {
    stubs.tracer.inject(
        stub,
        Abi.SYS_futex,
        stubs.image.address(ImageSymbols.STUB_PARK_WORD),
        Abi.FUTEX_WAIT_PRIVATE,
        0,
        0,
        0,
        0,
        STEP);
  }

  /**
   * A process whose death is held up neither stops nor dies, as if it hung in the kernel. Held from
   * this JVM, for the tracer of a stub reaps what other threads of its own JVM trace; and the stub
   * is a descendant of this JVM, so that Yama lets it (ptrace(2), ptrace_scope).
   */
  @Test
  void shouldGiveUpOnWhatTheKernelHolds() throws InterruptedException {
    try (ChildJvm child = ChildJvm.start(ChildJvm.command(GivingUp.class))) {
      int thread = Integer.parseInt(child.await(GivingUp.HOLD));
      try (HeldDeath death = new HeldDeath(thread)) {
        child.await(GivingUp.GIVEN_UP);
        death.release();
      }
      child.await(GivingUp.BURIED);
    }
  }

  /** Has a stub, in a JVM of its own, that is held while a call is run in it. */
  static final class GivingUp {
    static final String HOLD = "hold ";
    static final String GIVEN_UP = "given up";
    static final String BURIED = "buried";

    public static void main(String[] arguments) {
      try (TracedStub stubs = new TracedStub(Duration.ofMillis(300))) {
        Tracee stub = stubs.forge();
        int thread = UntracedThread.make(stubs.tracer, stub);
        System.out.println(HOLD + thread);
        Proc.await("a tracer", () -> !Proc.status(thread, "TracerPid").equals("0"));
        assertThatThrownBy(() -> waitForEver(stubs, stub))
            .isInstanceOf(StubUnresponsiveException.class)
            .hasMessage(
                ("stub %1$d neither stopped within PT0.3S nor died of SIGKILL while waiting for its"
                        + " end; the kernel holds it, /proc/%1$d/stack tells where")
                    .formatted(stub.pid()));
        Tracee next = stubs.forge();
        assertThat(stubs.tracer.inject(next, Abi.SYS_getpid, 0, 0, 0, 0, 0, 0, STEP))
            .isEqualTo(next.pid());
        assertThat(stubs.tracer.reaper().unreaped()).isEqualTo(1);
        System.out.println(GIVEN_UP);
        Proc.await(
            "the held stub's end",
            () -> {
              stubs.tracer.reaper().retry();
              return stubs.tracer.reaper().unreaped() == 0;
            });
        assertThat(Proc.exists(stub.pid())).isFalse();
      }
      System.out.println(BURIED);
    }
  }
}
