package dev.stubpool.ptrace;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LZ_Result;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

/** Holds on the pid of a {@link Tracee}, while the tracer wants to reap it. */
public final class TraceeStress {
  private TraceeStress() {}

  private static boolean holdAndRelease(Tracee tracee) {
    boolean held = tracee.hold();
    if (held) {
      tracee.release();
    }
    return held;
  }

  /** A process that is held is not reaped. */
  @JCStressTest
  @Outcome(id = "HELD, true", expect = ACCEPTABLE, desc = "Reaped after the hold.")
  @Outcome(id = "HELD, false", expect = ACCEPTABLE, desc = "Not reaped: held for too long.")
  @Outcome(id = "REFUSED, true", expect = ACCEPTABLE_INTERESTING, desc = "Reaped before the hold.")
  @State
  public static class Hold {
    private enum Seen {
      REFUSED,
      HELD,
      REAPED_WHILE_HELD
    }

    private final Tracee tracee = new Tracee(1);
    private volatile boolean reaped;

    @Actor
    public void user(LZ_Result r) {
      if (!tracee.hold()) {
        r.r1 = Seen.REFUSED;
        return;
      }
      boolean seen = reaped;
      Thread.onSpinWait(); // some time for the tracer
      seen |= reaped;
      tracee.release();
      r.r1 = seen ? Seen.REAPED_WHILE_HELD : Seen.HELD;
    }

    @Actor
    public void tracer(LZ_Result r) {
      boolean retired = tracee.retire();
      if (retired) {
        reaped = true;
      }
      r.r2 = retired;
    }
  }

  /** Once refused, a hold is refused for ever; and it is refused if, and only if, retired. */
  @JCStressTest
  @Outcome(id = "true, true, true", expect = ACCEPTABLE, desc = "Both before the end.")
  @Outcome(id = "true, false, true", expect = ACCEPTABLE_INTERESTING, desc = "One on each side.")
  @Outcome(id = "false, false, true", expect = ACCEPTABLE, desc = "Both after the end.")
  @State
  public static class NoHoldAfterTheEnd {
    private final Tracee tracee = new Tracee(1);
    private boolean retired;

    @Actor
    public void user(ZZZ_Result r) {
      r.r1 = holdAndRelease(tracee);
      r.r2 = holdAndRelease(tracee);
    }

    @Actor
    public void tracer() {
      retired = tracee.retire();
    }

    @Arbiter
    public void after(ZZZ_Result r) {
      r.r3 = holdAndRelease(tracee) != retired;
    }
  }

  /** No hold is forgotten or counted twice: afterwards the process can be reaped. */
  @JCStressTest
  @Outcome(id = "false, false, true", expect = ACCEPTABLE, desc = "One after the other.")
  @Outcome(id = "true, false, true", expect = ACCEPTABLE_INTERESTING, desc = "Both held it.")
  @State
  public static class HoldsAreCounted {
    private final Tracee tracee = new Tracee(1);

    @Actor
    public void one(ZZZ_Result r) {
      tracee.hold();
      tracee.release();
      r.r1 = tracee.isHeld();
    }

    @Actor
    public void other() {
      tracee.hold();
      tracee.release();
    }

    @Arbiter
    public void after(ZZZ_Result r) {
      r.r2 = tracee.isHeld();
      r.r3 = tracee.retire();
    }
  }
}
