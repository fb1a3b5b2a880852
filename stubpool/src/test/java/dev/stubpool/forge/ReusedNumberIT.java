package dev.stubpool.forge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.StubDiedException;
import dev.stubpool.guest.PtraceEngine;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.testing.CProgram;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A guest's thread that dies while no tracer has it leaves its number to whoever comes next. That
 * one is not touched.
 */
class ReusedNumberIT {
  private static final Path LAST_PID = Path.of("/proc/sys/kernel/ns_last_pid");
  private static final int TRIES = 200;

  /** A parked thread of a stub that was killed, so that the kernel has reaped the thread. */
  private static Tracee deadThread(TracedStub stubs, Tracee stub) {
    Tracee thread = stubs.forge.makeThread(stub);
    ProcessCalls.kill(stub.pid(), Abi.SIGKILL);
    Proc.await("its end", () -> !Proc.exists(thread.pid()));
    return thread;
  }

  /** Has the kernel give a number to what is made next, or skips the test. */
  private static <T> T withNumber(int number, Callable<T> make, Callable<Void> undo)
      throws Exception {
    for (int tries = 0; tries < TRIES; tries++) {
      try {
        Files.writeString(LAST_PID, Integer.toString(number - 1));
      } catch (IOException e) {
        Assumptions.abort("needs root and CONFIG_CHECKPOINT_RESTORE: " + e);
      }
      T made = make.call();
      if (Proc.exists(number)) {
        return made;
      }
      undo.call();
    }
    Assumptions.abort("others always took the number " + number);
    throw new AssertionError();
  }

  @Test
  void shouldNotBeSeizedNorKilled(@TempDir Path folder) throws Exception {
    Path program = folder.resolve("unstoppable");
    CProgram.compile(Path.of("src/test/c/unstoppable.c"), program);
    Process[] stranger = new Process[1];
    try (TracedStub stubs = new TracedStub(Duration.ofMillis(300))) {
      Tracee stub = stubs.forge();
      Tracee thread = deadThread(stubs, stub);
      withNumber(
          thread.pid(),
          () -> stranger[0] = new ProcessBuilder(program.toString()).start(),
          () -> {
            stranger[0].destroyForcibly().waitFor();
            return null;
          });
      Assumptions.assumeTrue(stranger[0].pid() == thread.pid(), "a thread of the JVM's took it");
      // Uninterruptible: it would not stop for a tracer.
      Proc.await("its sleep", () -> Proc.status(thread.pid(), "State").startsWith("D"));
      assertThatThrownBy(
              () -> new PtraceEngine(stubs.tracer, stub, thread, new PtraceEngine.Buffers()))
          .isInstanceOf(StubDiedException.class);
      assertThat(Proc.status(thread.pid(), "TracerPid")).isEqualTo("0");
      stubs.tracer.reaper().reap(stub);
      assertThat(stranger[0].isAlive()).isTrue();
      stranger[0].destroyForcibly().waitFor();
    } finally {
      if (stranger[0] != null) {
        stranger[0].destroyForcibly();
      }
    }
  }

  @Test
  void shouldNotBeReaped() throws Exception {
    try (TracedStub stubs = new TracedStub()) {
      Tracee stub = stubs.forge();
      Tracee thread = deadThread(stubs, stub);
      Tracee[] stranger = new Tracee[1];
      withNumber(
          thread.pid(),
          () -> stranger[0] = stubs.forge(),
          () -> {
            stubs.tracer.reaper().killAndReap(stranger[0]);
            return null;
          });
      Assumptions.assumeTrue(stranger[0].pid() == thread.pid(), "somebody else took it");
      ProcessCalls.kill(stranger[0].pid(), Abi.SIGKILL);
      Proc.await("its end", () -> stubs.tracer.reaper().isDead(stranger[0].pid()));
      stubs.tracer.reaper().reapGuests();
      stubs.tracer.reaper().reap(stub);
      assertThat(stubs.tracer.reaper().isDead(stranger[0].pid())).as("still to be reaped").isTrue();
      stubs.tracer.reaper().reap(stranger[0]);
      assertThat(stranger[0].death()).isEqualTo("killed by SIGKILL");
    }
  }
}
