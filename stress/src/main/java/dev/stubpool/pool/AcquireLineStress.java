package dev.stubpool.pool;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import dev.stubpool.StubPoolOptions;
import dev.stubpool.thread.TracerThread;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLZ_Result;

/** {@link AcquireLine} beside {@link IdleStubs}: who waits is served before who comes later. */
public final class AcquireLineStress {
  private AcquireLineStress() {}

  /**
   * A stub comes back while one thread finds none idle and joins the line, and comes again later.
   * The second time it is a newcomer behind itself, and must not take the stub that its own first
   * request is to get.
   */
  @JCStressTest
  @Outcome(id = "first, nothing, true", expect = ACCEPTABLE, desc = "The first try was in time.")
  @Outcome(
      id = "nothing, nothing, true",
      expect = ACCEPTABLE_INTERESTING,
      desc = "The request was on its way: whoever comes later passes.")
  @State
  public static class ComeBackAndJoin {
    private final ConcurrentLinkedQueue<TracerThread.Task> tasks = new ConcurrentLinkedQueue<>();
    private final AcquireLine line =
        new AcquireLine(StubPoolOptions.defaults(), () -> null, tasks::add);
    private final IdleStubs idle = new IdleStubs();
    private final Lease stub = new Lease(null, null, 1);
    private AcquireRequest request;
    private boolean taken;

    /** As {@link Supply#poll}. */
    private Lease poll() {
      return line.waiting() > 0 ? null : idle.pop();
    }

    private void serve() {
      TracerThread.Task task;
      while ((task = tasks.poll()) != null) {
        task.run();
      }
      Lease next;
      while (!line.isEmpty() && (next = idle.pop()) != null) {
        line.give(next);
      }
    }

    @Actor
    public void tracer() {
      serve();
      idle.push(stub);
    }

    @Actor
    public void caller(LLZ_Result r) {
      taken = poll() != null;
      r.r1 = taken ? "first" : "nothing";
      if (!taken) {
        request = line.join();
      }
      r.r2 = poll() == null ? "nothing" : "second";
    }

    @Arbiter
    public void end(LLZ_Result r) {
      serve();
      r.r3 = taken || request.result() == stub;
    }
  }
}
