package dev.stubpool.pool;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubPoolStats;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.thread.TracerThread;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The FIFO queue of callers that wait for a stub. The queue itself is accessed only by the tracer
 * thread; the limit on waiting threads and the timeouts are enforced on the callers' threads.
 */
final class AcquireLine {
  private final StubPoolOptions options;
  private final Supplier<StubPoolStats> stats;
  private final Consumer<TracerThread.Task> tracer;

  /**
   * How many requests have no outcome yet. A request is counted before it is offered to the tracer,
   * so a thread that reads 0 overtakes no earlier request. Incremented in {@link #join}, which is
   * paired with the read in {@link Supply#poll}.
   */
  private final AtomicInteger waiting = new AtomicInteger();

  /** Accessed only by the tracer thread. */
  private final Deque<AcquireRequest> line = new ArrayDeque<>();

  /**
   * Makes an empty line.
   *
   * @param stats the pool's counts, for error messages
   * @param tracer offers a task to the tracer thread, which runs or abandons it
   */
  AcquireLine(
      StubPoolOptions options, Supplier<StubPoolStats> stats, Consumer<TracerThread.Task> tracer) {
    this.options = options;
    this.stats = stats;
    this.tracer = tracer;
  }

  // ---- callers' threads ----

  /** Waits in line. Throws as {@link StubPool#acquire(Duration)} does. */
  Lease await(Duration timeout) {
    AcquireRequest request = join();
    try {
      return switch (request.await(timeout)) {
        case DONE -> request.result();
        case INTERRUPTED ->
            throw Failures.make()
                .acquireInterrupted(
                    "interrupted while waiting for a stub of pool " + options.name());
        case TIMED_OUT -> throw Failures.make().acquireTimeout(timeoutMessage(timeout));
      };
    } finally {
      leave(request);
    }
  }

  /** Adds a request to the line; {@link #leave} must follow. */
  AcquireRequest join() {
    AcquireRequest request = new AcquireRequest(this, options.name());
    if (waiting.incrementAndGet() > options.maxWaiters()) {
      waiting.decrementAndGet();
      throw Failures.make()
          .tooManyWaiters(
              "pool %s: %d threads already wait for a stub (maxWaiters); %s"
                  .formatted(options.name(), options.maxWaiters(), stats.get().summary()));
    }
    try {
      tracer.accept(request);
    } catch (RuntimeException | Error e) {
      leave(request);
      throw e;
    }
    return request;
  }

  /** Cancels a request if it has no outcome. Called once, by the thread that waits. */
  void leave(AcquireRequest request) {
    if (request.cancel() || request.isCancelled()) {
      waiting.decrementAndGet();
    }
  }

  /** Counts a request that was given a stub or a failure. */
  void served() {
    waiting.decrementAndGet();
  }

  private String timeoutMessage(Duration timeout) {
    StubPoolStats now = stats.get();
    return "pool %s: no stub within %s; %s%s"
        .formatted(
            options.name(),
            timeout,
            now.summary(),
            now.total() >= options.maxStubs()
                ? "; all %d (maxStubs) are in use".formatted(options.maxStubs())
                : "");
  }

  /** How many requests have no outcome yet. A volatile read: it is part of the warm acquire. */
  int waiting() {
    return waiting.get();
  }

  // ---- the tracer thread ----

  void add(AcquireRequest request) {
    line.add(request);
  }

  /** How many requests wait that are not cancelled. */
  int size() {
    line.removeIf(AcquireRequest::isCancelled);
    return line.size();
  }

  boolean isEmpty() {
    AcquireRequest first;
    while ((first = line.peek()) != null && first.isCancelled()) {
      line.poll();
    }
    return first == null;
  }

  /**
   * Gives a leased stub to the first request; returns whether there was one. The lease must have
   * begun, since the caller may use it at once.
   */
  boolean give(Lease stub) {
    AcquireRequest first;
    while ((first = line.poll()) != null) {
      if (first.complete(stub)) {
        return true;
      }
    }
    return false;
  }

  /** Gives a failure to the first request. */
  void fail(StubPoolException failure) {
    AcquireRequest first;
    while ((first = line.poll()) != null) {
      if (first.complete(failure)) {
        return;
      }
    }
  }

  /** Fails all requests, since the pool is closed. */
  void close() {
    while (!line.isEmpty()) {
      fail(Failures.make().poolClosed(options.name()));
    }
  }
}
