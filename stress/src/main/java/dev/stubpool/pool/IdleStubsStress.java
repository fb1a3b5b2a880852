package dev.stubpool.pool;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** {@link IdleStubs}: each handle reaches one taker, and none is lost. */
public final class IdleStubsStress {
  private IdleStubsStress() {}

  /** Stubs by their generation, 0 for none. */
  private static long number(Lease stub) {
    return stub == null ? 0 : stub.generation();
  }

  abstract static class Idle {
    final IdleStubs idle = new IdleStubs();

    final Lease third = new Lease(null, null, 3);

    Idle() {
      idle.push(new Lease(null, null, 1));
      idle.push(new Lease(null, null, 2));
    }

    /** All that is left. */
    final long rest() {
      long rest = 0;
      long place = 1;
      for (Lease stub = idle.pop(); stub != null; stub = idle.pop()) {
        rest += stub.generation() * place;
        place *= 10;
      }
      return rest;
    }
  }

  /** A third stub comes while one is taken. */
  @JCStressTest
  @Outcome(id = "2, 13", expect = ACCEPTABLE, desc = "The third came last.")
  @Outcome(id = "3, 12", expect = ACCEPTABLE, desc = "The third came first.")
  @State
  public static class PushAndPop extends Idle {
    @Actor
    public void tracer() {
      idle.push(third);
    }

    @Actor
    public void taker(JJ_Result r) {
      r.r1 = number(idle.pop());
    }

    @Arbiter
    public void rest(JJ_Result r) {
      r.r2 = rest();
    }
  }

  /** Two are taken at once. */
  @JCStressTest
  @Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "One after the other.")
  @Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "The other way round.")
  @State
  public static class PopAndPop extends Idle {
    @Actor
    public void taker(JJ_Result r) {
      r.r1 = number(idle.pop());
    }

    @Actor
    public void other(JJ_Result r) {
      r.r2 = number(idle.pop());
    }
  }

  /**
   * The tracer claims the lower of two and unlinks it while one is taken. A pop that read its link
   * before brings the claimed handle back, and whoever pops that passes over it.
   */
  @JCStressTest
  @Outcome(id = "2, 0", expect = ACCEPTABLE, desc = "One was taken, and the other unlinked.")
  @Outcome(id = "2, 1", expect = ACCEPTABLE_INTERESTING, desc = "The stale one is there again.")
  @State
  public static class UnlinkBottomAndPop extends Idle {
    @Actor
    public void tracer() {
      idle.unlink(stub -> stub.generation() == 1);
    }

    @Actor
    public void taker(JJ_Result r) {
      r.r1 = number(idle.pop());
    }

    @Arbiter
    public void rest(JJ_Result r) {
      r.r2 = rest();
    }
  }

  /** The tracer unlinks the upper of two while both are taken: the lower is never lost. */
  @JCStressTest
  @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "The stale one was unlinked before.")
  @Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "The stale one was taken before.")
  @State
  public static class UnlinkTopAndPop extends Idle {
    @Actor
    public void tracer() {
      idle.unlink(stub -> stub.generation() == 2);
    }

    @Actor
    public void taker(JJ_Result r) {
      r.r1 = number(idle.pop());
      r.r2 = number(idle.pop());
    }
  }

  /** The tracer unlinks one in the middle and pushes another while one is taken. */
  @JCStressTest
  @Outcome(id = "3, 1", expect = ACCEPTABLE, desc = "The third came first.")
  @Outcome(id = "2, 13", expect = ACCEPTABLE, desc = "The stale one was taken before.")
  @Outcome(id = "1, 3", expect = ACCEPTABLE, desc = "The stale one was unlinked before.")
  @State
  public static class UnlinkAndPushAndPop extends Idle {
    @Actor
    public void tracer() {
      idle.unlink(stub -> stub.generation() == 2);
      idle.push(third);
    }

    @Actor
    public void taker(JJ_Result r) {
      r.r1 = number(idle.pop());
    }

    @Arbiter
    public void rest(JJ_Result r) {
      r.r2 = rest();
    }
  }
}
