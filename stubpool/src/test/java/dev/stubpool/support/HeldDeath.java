package dev.stubpool.support;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.PtraceCalls;
import dev.stubpool.nativestubs.StubImage;
import dev.stubpool.nativestubs.WaitCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;

/**
 * Holds up the report of a process's death. The kernel reports the death of a process once its
 * other threads are reaped (kernel/exit.c, delay_group_leader), and a thread that is traced is
 * reaped by its tracer alone: this JVM traces one, and does not reap it. To the tracer of the
 * process's first thread, which must be another process than this JVM, SIGKILL seems to have no
 * effect, as with a process that hangs in the kernel. It needs no privilege.
 */
public final class HeldDeath implements AutoCloseable {
  private final CountDownLatch seized = new CountDownLatch(1);
  private final CountDownLatch released = new CountDownLatch(1);
  private final Thread tracer;
  private volatile long result;

  /** Takes a thread that nobody traces, and that is not its process's first. */
  public HeldDeath(int tid) throws InterruptedException {
    StubImage.get(); // makes system calls possible
    tracer = Thread.ofPlatform().start(() -> trace(tid));
    seized.await();
    if (result != 0) {
      throw new AssertionError("ptrace(PTRACE_SEIZE) of " + tid + ": " + result);
    }
  }

  private void trace(int tid) {
    result = PtraceCalls.seize(tid, 0);
    seized.countDown();
    try (Arena arena = Arena.ofConfined()) {
      released.await();
      MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
      WaitCalls.reap(tid, siginfo.address());
      if (siginfo.get(JAVA_INT, Abi.SIGINFO_pid) != tid) {
        result = 1;
      }
    } catch (InterruptedException e) {
      result = 1; // the end of this thread detaches from the other
    }
  }

  /** Reaps the thread, which must be dead; then its process is. */
  public void release() throws InterruptedException {
    released.countDown();
    tracer.join();
    if (result != 0) {
      throw new AssertionError("the thread that held up a death was not dead itself");
    }
  }

  /** Ends the tracer, which reaps the thread or lets it go. */
  @Override
  public void close() throws InterruptedException {
    released.countDown();
    tracer.join();
  }
}
