package dev.stubpool.bench;

import dev.stubpool.Affinity;
import dev.stubpool.Stub;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.pool.Pool;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Runs JMH's worker on a pool's tracer thread ({@code -Djmh.executor=CUSTOM}), where calls into a
 * stub need no hand-over: the public API is then timed as its floor is, on one thread.
 */
public final class TracerExecutor extends AbstractExecutorService {
  /** The pool whose tracer this is; one a JVM, for JMH makes one executor. */
  private static final Pool POOL =
      Pool.open(
          StubPoolOptions.builder().name("bench").minIdle(0).affinity(Affinity.ANY_CPU).build());

  /** A leased stub: on the tracer itself nobody can wait for one. */
  static final Stub STUB = POOL.acquire();

  /** Called by JMH. */
  public TracerExecutor(int threads, String prefix) {
    if (threads != 1) {
      throw new IllegalArgumentException(prefix + ": a pool has one tracer, not " + threads);
    }
  }

  @Override
  public void execute(Runnable task) {
    POOL.tracerThread().offer(task::run);
  }

  @Override
  public void shutdown() {
    POOL.close();
  }

  @Override
  public List<Runnable> shutdownNow() {
    shutdown();
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return POOL.isClosed();
  }

  @Override
  public boolean isTerminated() {
    return POOL.tracerThread().hasEnded();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return isTerminated();
  }
}
