package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** One guest: its traps, its registers, its end. */
class GuestIT {
  private static final long CODE = 0x10_0000;
  private static final long DATA = 0x20_0000;

  /** syscall; jmp -4. */
  private static final String CALLS = "0f05 ebfc";

  /** mov rax, [rdi]; jmp -5. */
  private static final String READ = "488b07 ebfb";

  private static final String SPIN = "ebfe";

  private static StubPool pool;

  @BeforeAll
  static void open() {
    pool = StubPool.open(StubPoolOptions.builder().name("guests").minIdle(1).maxStubs(4).build());
  }

  @AfterAll
  static void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  private static Stub load(String hex) {
    return GuestCode.load(pool, CODE, HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  @Test
  void shouldServeSystemCalls() {
    try (Stub stub = load(CALLS)) {
      int served =
          stub.run(
              guest -> {
                guest.registers().rip(CODE).rax(0x1234).rdi(1).rsi(2).rdx(3).r10(4).r8(5).r9(6);
                Trap.SystemCall first = (Trap.SystemCall) guest.resume();
                assertThat(first.number()).isEqualTo(0x1234);
                assertThat(first.arguments()).containsExactly(1, 2, 3, 4, 5, 6);
                assertThat(first.abi()).isEqualTo(SystemCallAbi.X86_64);
                assertThat(first.instructionPointer()).isEqualTo(CODE + 2);
                for (int i = 0; i < 1000; i++) {
                  guest.complete(i);
                  Trap.SystemCall call = (Trap.SystemCall) guest.resume();
                  assertThat(call.number()).isEqualTo(i); // the result is the next one's number
                }
                return 1000;
              });
      assertThat(served).isEqualTo(1000);
      assertThat(Proc.status(stub.pid(), "Threads")).isEqualTo("1");
    }
  }

  /** The trap itself, which is the caller's to keep. */
  @Test
  void shouldAllocateOneObjectATrap() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int traps = 5_000;
    try (Stub stub = load(CALLS + READ)) {
      stub.run(
          guest -> {
            for (int warmUp = 0; warmUp < 8; warmUp++) {
              guest.registers().rip(CODE);
              long before = threads.getCurrentThreadAllocatedBytes();
              for (int i = 0; i < traps; i++) {
                guest.resume();
                guest.complete(i);
              }
              long calls = threads.getCurrentThreadAllocatedBytes() - before;
              guest.registers().rip(CODE + 4).rdi(DATA);
              before = threads.getCurrentThreadAllocatedBytes();
              for (int i = 0; i < traps; i++) {
                guest.resume();
                guest.registers().rax(i);
              }
              long faults = threads.getCurrentThreadAllocatedBytes() - before;
              // An object of eight words and a half, and of five and a half; not two of any.
              if (calls / traps <= 88 && faults / traps <= 64) {
                return null;
              }
              assertThat(warmUp).as("%d and %d bytes", calls / traps, faults / traps).isLessThan(7);
            }
            return null;
          });
    }
  }

  @Test
  void shouldGiveResultsThatTheKernelHasAMeaningFor() {
    try (Stub stub = load(CALLS)) {
      stub.run(
          guest -> {
            guest.registers().rip(CODE).rax(39);
            guest.resume();
            for (long result : new long[] {-512, -513, -514, -516, -4095, -1, Long.MIN_VALUE}) {
              guest.complete(result);
              guest.interrupter().interrupt(); // with a signal pending the kernel might restart
              assertThat(guest.resume()).isInstanceOf(Trap.Interrupted.class);
              Trap trap = guest.resume();
              assertThat(((Trap.SystemCall) trap).number()).isEqualTo((int) result);
              assertThat(guest.registers().rip()).isEqualTo(CODE + 2);
            }
            return null;
          });
    }
  }

  @Test
  void shouldTellFaults() {
    try (Stub stub = load(READ)) {
      stub.run(
          guest -> {
            guest.registers().rip(CODE).rdi(DATA);
            Trap.Fault fault = (Trap.Fault) guest.resume();
            assertThat(fault.signal()).isEqualTo(Abi.SIGSEGV);
            assertThat(fault.code()).isEqualTo(Abi.SEGV_MAPERR);
            assertThat(fault.address()).hasValue(DATA);
            assertThat(fault.instructionPointer()).isEqualTo(CODE);
            FaultDetails details = guest.examine(fault);
            assertThat(details).isEqualTo(new FaultDetails(14, 4, DATA));
            assertThat(guest.registers().rip()).isEqualTo(CODE);
            assertThat(guest.registers().rdi()).isEqualTo(DATA);
            guest.memory().mapAnonymous(DATA, 4096, Protection.READ_WRITE);
            guest.memory().write(DATA, new byte[] {42, 0, 0, 0, 0, 0, 0, 0});
            assertThat(guest.step()).isInstanceOf(Trap.Step.class);
            assertThat(guest.registers().rax()).isEqualTo(42);
            guest.registers().rip(CODE).rdi(0x8000_0000_0000_0000L);
            Trap.Fault nowhere = (Trap.Fault) guest.resume();
            assertThat(nowhere.address()).isEmpty();
            assertThat(guest.examine(nowhere).trap()).isEqualTo(13);
            return null;
          });
    }
  }

  @Test
  void shouldInterruptWhoeverRuns() throws InterruptedException {
    try (Stub stub = load(SPIN)) {
      AtomicReference<Guest.Interrupter> interrupter = new AtomicReference<>();
      CountDownLatch runs = new CountDownLatch(1);
      Thread runner =
          Thread.ofVirtual()
              .start(
                  () ->
                      stub.run(
                          guest -> {
                            guest.registers().rip(CODE);
                            interrupter.set(guest.interrupter());
                            runs.countDown();
                            assertThat(guest.resume()).isInstanceOf(Trap.Interrupted.class);
                            assertThat(guest.registers().rip()).isEqualTo(CODE);
                            return null;
                          }));
      runs.await();
      interrupter.get().interrupt();
      assertThat(runner.join(Duration.ofSeconds(10))).isTrue();
    }
  }

  @Test
  void shouldEndWhenItsTimeIsOver() {
    try (Stub stub = load(SPIN)) {
      assertThatThrownBy(
              () ->
                  stub.run(
                      guest -> {
                        guest.registers().rip(CODE);
                        return guest.resume();
                      },
                      Duration.ofMillis(50)))
          .isInstanceOf(GuestTimeoutException.class);
      assertThat(Proc.status(stub.pid(), "Threads")).isEqualTo("1");
    }
  }

  @Test
  void shouldEndWhenTheStubIsClosed() {
    Stub stub = load(SPIN);
    assertThatThrownBy(
            () ->
                stub.run(
                    guest -> {
                      guest.registers().rip(CODE);
                      Thread.ofVirtual().start(stub::close);
                      return guest.resume();
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    Proc.await("its return", () -> pool.stats().leased() == 0);
  }

  @Test
  void shouldTellOfItsDeath() {
    try (Stub stub = load(SPIN)) {
      stub.run(
          guest -> {
            guest.registers().rip(CODE);
            Thread.ofVirtual().start(stub::kill);
            assertThat(guest.resume()).isEqualTo(new Trap.Died("killed by SIGKILL"));
            assertThat(guest.resume()).isEqualTo(new Trap.Died("killed by SIGKILL"));
            assertThatThrownBy(() -> guest.registers().rip()).isInstanceOf(StubDiedException.class);
            return null;
          });
    }
  }

  @Test
  void shouldThrowWhatTheProgramThrows() throws IOException {
    try (Stub stub = pool.acquire()) {
      assertThatThrownBy(
              () ->
                  stub.run(
                      _ -> {
                        throw new IOException("mine");
                      }))
          .isInstanceOf(IOException.class)
          .hasMessage("mine");
      assertThat(stub.<Integer, IOException>run(_ -> 7)).isEqualTo(7);
    }
  }

  @Test
  void shouldRefuseWhatTheKernelWould() {
    try (Stub stub = load(CALLS)) {
      stub.run(
          guest -> {
            assertThatIllegalArgumentException()
                .isThrownBy(() -> guest.registers().cs(0))
                .withMessageContaining("cs");
            assertThatIllegalArgumentException().isThrownBy(() -> guest.registers().ss(0x28));
            assertThatIllegalArgumentException().isThrownBy(() -> guest.segments().ds(0x10));
            assertThatIllegalArgumentException()
                .isThrownBy(() -> guest.segments().fsBase(0x7fff_ffff_f000L))
                .withMessageContaining("fs base");
            assertThatIllegalArgumentException()
                .isThrownBy(() -> guest.registers().flags(1 << 17))
                .withMessageContaining("0x20000");
            guest.segments().ds(0).es(0x2b).fsBase(0x7fff_ffff_efffL).gsBase(5);
            guest.registers().rip(CODE).flags(0x202);
            assertThat(guest.resume()).isInstanceOf(Trap.SystemCall.class);
            assertThat(guest.segments().fsBase()).isEqualTo(0x7fff_ffff_efffL);
            assertThat(guest.segments().gsBase()).isEqualTo(5);
            assertThat(guest.segments().es()).isEqualTo(0x2b);
            return null;
          });
    }
  }

  @Test
  void shouldMoveStateToACopy() {
    try (Stub stub = load(CALLS)) {
      stub.run(
          guest -> {
            guest.registers().rip(CODE).rax(1).rbx(0xb0b).rsp(0x5000);
            MemorySegment vector = Arena.ofAuto().allocate(guest.vectorState().byteSize(), 64);
            vector.copyFrom(guest.vectorState());
            vector.set(JAVA_INT, 160, 0xfeed); // xmm0
            vector.set(JAVA_INT, 512, vector.get(JAVA_INT, 512) | 2); // SSE is in use
            guest.vectorState(vector);
            guest.resume();
            GuestState state = guest.save();
            try (Stub copy = stub.spawnChild()) {
              copy.run(
                  child -> {
                    child.restore(state);
                    child.registers().rax(77);
                    Trap.SystemCall call = (Trap.SystemCall) child.resume();
                    assertThat(call.number()).isEqualTo(77);
                    assertThat(child.registers().rbx()).isEqualTo(0xb0b);
                    assertThat(child.vectorState().get(JAVA_INT, 160)).isEqualTo(0xfeed);
                    return null;
                  });
            }
            return null;
          });
    }
  }

  @Test
  void shouldBeItsThreadsAlone() {
    try (Stub stub = load(CALLS)) {
      AtomicReference<Guest> kept = new AtomicReference<>();
      stub.run(
          guest -> {
            kept.set(guest);
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread other =
                Thread.ofPlatform()
                    .start(
                        () -> {
                          try {
                            guest.resume();
                          } catch (WrongThreadException e) {
                            thrown.set(e);
                          }
                        });
            other.join();
            assertThat(thrown.get()).isInstanceOf(WrongThreadException.class);
            return null;
          });
      assertThatThrownBy(() -> kept.get().resume()).isInstanceOf(WrongThreadException.class);
      kept.get().interrupter().interrupt(); // of no consequence
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shouldStopAtBreakpoints() {
    // mov [rdi], al; int3; jmp -5
    try (Stub stub = load("8807 cc ebfb")) {
      stub.memory().mapAnonymous(DATA, 4096, Protection.READ_WRITE);
      stub.run(
          guest -> {
            guest.registers().rip(CODE).rdi(DATA);
            guest.breakpoint(1, DATA, Guest.BreakpointKind.WRITE, 4);
            assertThat(guest.resume()).isEqualTo(new Trap.Breakpoint(2, Abi.TRAP_HWBKPT));
            assertThat(guest.registers().rip()).isEqualTo(CODE + 2);
            assertThat(guest.resume()).isEqualTo(new Trap.Breakpoint(0, Abi.SI_KERNEL));
            guest.clearBreakpoint(1);
            assertThat(guest.resume()).isEqualTo(new Trap.Breakpoint(0, Abi.SI_KERNEL));
            return null;
          });
    }
  }
}
