package dev.stubpool.pool;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import dev.stubpool.StubPoolClosedException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.diagnose.Failures;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZL_Result;
import org.openjdk.jcstress.infra.results.ZZL_Result;

/** The outcome of an {@link AcquireRequest}: there is one, and no stub is lost. */
public final class AcquireRequestStress {
  private AcquireRequestStress() {}

  private static final AcquireLine LINE =
      new AcquireLine(StubPoolOptions.defaults(), () -> null, request -> {});

  private static AcquireRequest request() {
    return new AcquireRequest(LINE, "stress");
  }

  /** A handle that nobody uses. */
  private static Lease stub() {
    return new Lease(null, null, 1);
  }

  private static String take(AcquireRequest request, Lease given) {
    try {
      return request.result() == given ? "the stub" : "another";
    } catch (StubPoolClosedException e) {
      return "closed";
    }
  }

  /** The waiter gives up just when it is given a stub. */
  @JCStressTest
  @Outcome(id = "true, the stub", expect = ACCEPTABLE_INTERESTING, desc = "Too late to give up.")
  @Outcome(id = "false, gave up", expect = ACCEPTABLE, desc = "The giver knows, and has the stub.")
  @State
  public static class GiveUp {
    private final Lease stub = stub();
    private final AcquireRequest request = request();

    @Actor
    public void giver(ZL_Result r) {
      r.r1 = request.complete(stub);
    }

    @Actor
    public void waiter(ZL_Result r) {
      r.r2 = request.cancel() ? "gave up" : take(request, stub);
    }
  }

  /** The tracer's end completes a request, as abandon() does, just when it is given a stub. */
  @JCStressTest
  @Outcome(id = "true, false, the stub", expect = ACCEPTABLE, desc = "The stub came first.")
  @Outcome(
      id = "false, true, closed",
      expect = ACCEPTABLE_INTERESTING,
      desc = "The end came first: the giver knows, and has the stub.")
  @State
  public static class Abandon {
    private final Lease stub = stub();
    private final AcquireRequest request = request();

    /** Made before, which takes longer than all the rest. */
    private final StubPoolClosedException closed = Failures.make().poolClosed("stress");

    @Actor
    public void giver(ZZL_Result r) {
      r.r1 = request.complete(stub);
    }

    @Actor
    public void offerer(ZZL_Result r) {
      r.r2 = request.complete(closed);
    }

    @Arbiter
    public void waiter(ZZL_Result r) {
      r.r3 = take(request, stub);
    }
  }
}
