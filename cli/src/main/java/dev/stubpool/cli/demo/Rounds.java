package dev.stubpool.cli.demo;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.cli.output.CommandFailure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * The timed parts of the demo. The warm-up runs them too, so that the JIT compiler has compiled the
 * code that is measured.
 */
final class Rounds {
  private static final int GETPID = 39;
  private static final long POLL_NANOS = 20_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final StubPool pool;

  Rounds(StubPool pool) {
    this.pool = pool;
  }

  /** Leases a stub; returns the nanoseconds from the request until it is ready. */
  long create(List<Stub> into) {
    long start = System.nanoTime();
    Stub stub = pool.acquire();
    long end = System.nanoTime();
    into.add(stub);
    return end - start;
  }

  /** Runs getpid in the stub and checks the result; returns the nanoseconds. */
  long inject(Stub stub) {
    long start = System.nanoTime();
    long pid = stub.syscall(GETPID);
    long end = System.nanoTime();
    if (pid != stub.pid()) {
      throw new CommandFailure("getpid in stub " + stub.pid() + " returned " + pid);
    }
    return end - start;
  }

  /** Closes all leases and waits until their stubs are idle again; returns the nanoseconds. */
  long recycle(List<Stub> stubs) {
    int idleThen = pool.stats().idle() + stubs.size();
    long start = System.nanoTime();
    for (Stub stub : stubs) {
      stub.close();
    }
    await(() -> pool.stats().idle() >= idleThen, idleThen + " idle stubs");
    return System.nanoTime() - start;
  }

  /** Leases {@code count} idle stubs; returns the nanoseconds for all. */
  long acquireWarm(int count, List<Stub> into) {
    Stub[] taken = new Stub[count];
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      taken[i] = pool.tryAcquire();
    }
    long end = System.nanoTime();
    for (Stub stub : taken) {
      if (stub == null) {
        throw new CommandFailure("a pool with idle stubs did not lease one: " + pool);
      }
      into.add(stub);
    }
    return end - start;
  }

  /**
   * {@code count} threads each lease a new stub at once; returns the nanoseconds until all have
   * one.
   */
  long createAtOnce(int count, List<Stub> into) {
    AtomicReferenceArray<Object> outcomes = new AtomicReferenceArray<>(count);
    CountDownLatch ready = new CountDownLatch(count);
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(count);
    for (int i = 0; i < count; i++) {
      int index = i;
      Thread.startVirtualThread(
          () -> {
            try {
              ready.countDown();
              gate.await();
              outcomes.set(index, pool.acquire());
            } catch (InterruptedException | RuntimeException e) {
              outcomes.set(index, e);
            } finally {
              done.countDown();
            }
          });
    }
    await(ready);
    long start = System.nanoTime();
    gate.countDown();
    await(done);
    long end = System.nanoTime();
    RuntimeException failure = null;
    for (int i = 0; i < count; i++) {
      switch (outcomes.get(i)) {
        case Stub stub -> into.add(stub);
        case RuntimeException e -> failure = e;
        default -> failure = new CommandFailure("interrupted");
      }
    }
    if (failure != null) {
      throw failure;
    }
    return end - start;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailure("interrupted", e);
    }
  }

  /** Kills all stubs, closes their leases, and waits until the pool is empty. */
  void discard(List<Stub> stubs) {
    for (Stub stub : stubs) {
      stub.kill();
      stub.close();
    }
    stubs.clear();
    await(() -> pool.stats().total() == 0, "the end of all stubs");
  }

  private void await(BooleanSupplier condition, String what) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(this, POLL_NANOS);
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new CommandFailure(
            "did not see " + what + " within " + PATIENCE.toSeconds() + " s: " + pool);
      }
    }
  }
}
