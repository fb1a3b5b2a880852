package dev.stubpool;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** {@link IdleStubs}: each handle reaches one taker, and none is lost. */
public final class IdleStubsStress {
  private IdleStubsStress() {}

  /** Stubs by their generation, 0 for none. */
  private static long number(Stub stub) {
    return stub == null ? 0 : stub.generation();
  }

  /** A stub and all that is linked below it: a decimal digit each, the lowest first. */
  private static long numbers(Stub top) {
    long all = 0;
    long place = 1;
    for (Stub stub = top; stub != null; stub = stub.below) {
      all += stub.generation() * place;
      place *= 10;
    }
    return all;
  }

  abstract static class Idle {
    final IdleStubs idle = new IdleStubs();

    final Stub third = new Stub(null, null, 3);

    Idle() {
      idle.push(new Stub(null, null, 1));
      idle.push(new Stub(null, null, 2));
    }

    /** All that is left, if that is also what is counted. */
    final long rest() {
      int size = idle.size();
      long rest = numbers(idle.popAll());
      int digits = rest == 0 ? 0 : Long.toString(rest).length();
      return digits == size ? rest : -1;
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

  /** The tracer takes all and gives back another handle while one takes. */
  @JCStressTest
  @Outcome(id = "2, 1, 3", expect = ACCEPTABLE, desc = "One was taken before.")
  @Outcome(id = "0, 12, 3", expect = ACCEPTABLE_INTERESTING, desc = "There was nothing meanwhile.")
  @Outcome(id = "3, 12, 0", expect = ACCEPTABLE, desc = "One was taken afterwards.")
  @State
  public static class PopAllAndPop extends Idle {
    @Actor
    public void tracer(JJJ_Result r) {
      Stub all = idle.popAll();
      r.r2 = numbers(all);
      idle.push(third);
    }

    @Actor
    public void taker(JJJ_Result r) {
      r.r1 = number(idle.pop());
    }

    @Arbiter
    public void rest(JJJ_Result r) {
      r.r3 = rest();
    }
  }
}
