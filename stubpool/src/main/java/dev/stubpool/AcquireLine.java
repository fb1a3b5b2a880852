package dev.stubpool;

import dev.stubpool.trace.TracerThread;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The line of threads that wait for a stub, first come first served. Who comes stands in line on
 * the tracer thread; how many may come, and how long one waits, is decided on the caller's.
 */
final class AcquireLine {
  private final StubPoolOptions options;
  private final Supplier<StubPoolStats> stats;
  private final Consumer<TracerThread.Task> tracer;

  /**
   * Requests that have no outcome yet. A request counts from before it is handed to the tracer, so
   * a thread that comes later and reads 0 has nobody before it.
   */
  private final AtomicInteger waiting = new AtomicInteger();

  /** The tracer's alone. */
  private final Deque<AcquireRequest> line = new ArrayDeque<>();

  /**
   * Makes an empty line.
   *
   * @param stats for messages
   * @param tracer runs a task on the tracer thread, or abandons it
   */
  AcquireLine(
      StubPoolOptions options, Supplier<StubPoolStats> stats, Consumer<TracerThread.Task> tracer) {
    this.options = options;
    this.stats = stats;
    this.tracer = tracer;
  }

  // ---- callers' threads ----

  /** Waits in line; throws what {@link StubPool#acquire(Duration)} says. */
  Stub await(Duration timeout) {
    AcquireRequest request = join();
    try {
      return switch (request.await(timeout)) {
        case DONE -> request.take();
        case INTERRUPTED ->
            throw new AcquireInterruptedException(
                "interrupted while waiting for a stub of pool " + options.name());
        case TIMED_OUT -> throw new AcquireTimeoutException(timeoutMessage(timeout));
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
      throw new TooManyWaitersException(
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

  /** Ends the wait of a request, if it has no outcome. The waiting thread's, once. */
  void leave(AcquireRequest request) {
    if (request.giveUp() || request.isGivenUp()) {
      waiting.decrementAndGet();
    }
  }

  /** A request was given a stub or a failure. */
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

  /** How many wait, those who gave up not counted. */
  int size() {
    line.removeIf(AcquireRequest::isGivenUp);
    return line.size();
  }

  boolean isEmpty() {
    AcquireRequest first;
    while ((first = line.peek()) != null && first.isGivenUp()) {
      line.poll();
    }
    return first == null;
  }

  /**
   * Gives a stub to who is first; false if there is nobody. The stub is leased by then, for its
   * holder may use it at once.
   */
  boolean give(Stub stub) {
    AcquireRequest first;
    while ((first = line.poll()) != null) {
      if (first.complete(stub)) {
        return true;
      }
    }
    return false;
  }

  /** Who is first gets none, and is told why. */
  void fail(StubPoolException failure) {
    AcquireRequest first;
    while ((first = line.poll()) != null) {
      if (first.complete(failure)) {
        return;
      }
    }
  }

  /** Nobody gets any more. */
  void close() {
    while (!line.isEmpty()) {
      fail(new StubPoolClosedException(options.name()));
    }
  }
}
