package dev.stubpool.support;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.calls.WaitCalls;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.testing.Proc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/**
 * Holds up the report of a process's death. The kernel reports the death of a process once its
 * other threads are reaped (kernel/exit.c, delay_group_leader), and a thread that is traced is
 * reaped by its tracer alone: this JVM traces one, and does not reap it. To the tracer of the
 * process's first thread, which must be another process than this JVM, SIGKILL seems to have no
 * effect, as with a process that hangs in the kernel. It needs no privilege.
 */
public final class HeldDeath implements AutoCloseable {
  private final CompletableFuture<Long> seized = new CompletableFuture<>();
  private final CountDownLatch released = new CountDownLatch(1);
  private final CompletableFuture<Void> reaped = new CompletableFuture<>();
  private final Thread tracer;

  /** Takes a thread that nobody traces, and that is not its process's first. */
  public HeldDeath(int tid) throws InterruptedException {
    StubImage.get(); // makes system calls possible
    tracer = Thread.ofPlatform().start(() -> trace(tid));
    long result = seized.join();
    if (result != 0) {
      close();
      throw new AssertionError("ptrace(PTRACE_SEIZE) of " + tid + ": " + result);
    }
  }

  private void trace(int tid) {
    seized.complete(PtraceCalls.seize(tid, 0));
    try (Arena arena = Arena.ofConfined()) {
      released.await();
      MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
      Proc.await(
          "the end of thread " + tid,
          () -> {
            WaitCalls.reap(tid, siginfo.address());
            return siginfo.get(JAVA_INT, Abi.SIGINFO_pid) == tid;
          });
      reaped.complete(null);
    } catch (InterruptedException e) {
      reaped.cancel(false); // closed without release: the end of this thread lets the other go
    } catch (AssertionError e) {
      reaped.completeExceptionally(e);
    }
  }

  /** Reaps the thread, which must have been killed; then its process is dead for all. */
  public void release() {
    released.countDown();
    reaped.join();
  }

  /** Lets the thread go. */
  @Override
  public void close() throws InterruptedException {
    tracer.interrupt();
    tracer.join();
  }
}
