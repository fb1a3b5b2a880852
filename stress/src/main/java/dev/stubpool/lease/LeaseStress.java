package dev.stubpool.lease;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import dev.stubpool.StubState;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIL_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZIZ_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZLL_Result;
import org.openjdk.jcstress.infra.results.ZZL_Result;
import org.openjdk.jcstress.infra.results.ZZZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The moves of a {@link LeaseTable}'s one slot, two at a time. */
public final class LeaseStress {
  /** The generation that all tests begin in. */
  private static final long FIRST = 1;

  private static final long SECOND = FIRST + 1;

  private LeaseStress() {}

  /** A table with an idle stub. */
  static LeaseTable idle() {
    MemorySegment memory = MemorySegment.ofArray(new long[(int) LeaseTable.bytes(1) / Long.BYTES]);
    LeaseTable table = new LeaseTable(memory, "", 1, 0, 0);
    table.makeIdle(table.claim(1));
    return table;
  }

  static LeaseTable leased() {
    LeaseTable table = idle();
    table.lease(0, FIRST);
    return table;
  }

  static LeaseTable givenBack() {
    LeaseTable table = leased();
    table.giveBack(0, FIRST);
    return table;
  }

  /** What the tracer does when a stub died and another is born; the generation of its lease. */
  private static long bearNext(LeaseTable table) {
    table.die(0);
    table.free(0);
    return table.makeIdle(table.claim(2));
  }

  /** Two threads took the same idle stub. */
  @JCStressTest
  @Outcome(id = "true, false, true", expect = ACCEPTABLE, desc = "The first thread has it.")
  @Outcome(
      id = "false, true, true",
      expect = ACCEPTABLE_INTERESTING,
      desc = "The second thread has it: it overtook the first.")
  @State
  public static class Lease {
    private final LeaseTable table = idle();

    @Actor
    public void one(ZZZ_Result r) {
      r.r1 = table.lease(0, FIRST);
    }

    @Actor
    public void other(ZZZ_Result r) {
      r.r2 = table.lease(0, FIRST);
    }

    @Arbiter
    public void after(ZZZ_Result r) {
      r.r3 = table.isLeased(0, FIRST);
    }
  }

  /** The holder closes twice, the tracer takes the lease back because it is lost. */
  @JCStressTest
  @Outcome(id = "1, 0, RESETTING", expect = ACCEPTABLE, desc = "The holder's close was it.")
  @Outcome(
      id = "0, 1, RESETTING",
      expect = ACCEPTABLE_INTERESTING,
      desc = "The tracer overtook the holder.")
  @State
  public static class GiveBack {
    private final LeaseTable table = leased();

    @Actor
    public void holder(IIL_Result r) {
      r.r1 = (table.giveBack(0, FIRST) ? 1 : 0) + (table.giveBack(0, FIRST) ? 1 : 0);
    }

    @Actor
    public void tracer(IIL_Result r) {
      r.r2 = table.giveBack(0, FIRST) ? 1 : 0;
    }

    @Arbiter
    public void after(IIL_Result r) {
      r.r3 = table.state(0);
    }
  }

  /** A stub dies while it is leased. */
  @JCStressTest
  @Outcome(id = "true, true, DEAD", expect = ACCEPTABLE, desc = "It died later.")
  @Outcome(
      id = "true, false, DEAD",
      expect = ACCEPTABLE_INTERESTING,
      desc = "It died between the lease and the look at it.")
  @Outcome(id = "false, false, DEAD", expect = ACCEPTABLE, desc = "It died first: no lease.")
  @State
  public static class LeaseOfTheDying {
    private final LeaseTable table = idle();

    @Actor
    public void holder(ZZL_Result r) {
      r.r1 = table.lease(0, FIRST);
      r.r2 = table.isLeased(0, FIRST);
    }

    @Actor
    public void tracer() {
      table.die(0);
    }

    @Arbiter
    public void after(ZZL_Result r) {
      r.r3 = table.state(0);
    }
  }

  /** A stub dies while it is given back. */
  @JCStressTest
  @Outcome(id = "true, RESETTING, DEAD", expect = ACCEPTABLE, desc = "It died later.")
  @Outcome(
      id = "true, DEAD, DEAD",
      expect = ACCEPTABLE_INTERESTING,
      desc = "It died between the return and the look at it.")
  @Outcome(id = "false, DEAD, DEAD", expect = ACCEPTABLE, desc = "It died first: no return.")
  @State
  public static class GiveBackOfTheDying {
    private final LeaseTable table = leased();

    @Actor
    public void holder(ZLL_Result r) {
      r.r1 = table.giveBack(0, FIRST);
      r.r2 = table.state(0);
    }

    @Actor
    public void tracer() {
      table.die(0);
    }

    @Arbiter
    public void after(ZLL_Result r) {
      r.r3 = table.state(0);
    }
  }

  /** The holder closes late: the tracer took the lease back and somebody has the next. */
  @JCStressTest
  @Outcome(
      id = "true, false, RESETTING",
      expect = ACCEPTABLE,
      desc = "The holder gave it back himself.")
  @Outcome(
      id = "false, true, LEASED",
      expect = ACCEPTABLE_INTERESTING,
      desc = "The tracer overtook the holder, and the next lease lasts.")
  @State
  public static class LateGiveBack {
    private final LeaseTable table = leased();

    @Actor
    public void holder(ZZL_Result r) {
      r.r1 = table.giveBack(0, FIRST);
    }

    @Actor
    public void tracerAndNextHolder(ZZL_Result r) {
      r.r2 = table.giveBack(0, FIRST) && table.lease(0, table.makeIdle(0));
    }

    @Arbiter
    public void after(ZZL_Result r) {
      r.r3 = table.state(0);
    }
  }

  /** A handle that was closed tries everything, in whatever state the next lease is. */
  @JCStressTest
  @Outcome(id = "false, RESETTING, true", expect = ACCEPTABLE, desc = "Before the next lease.")
  @Outcome(
      id = "false, IDLE, true",
      expect = ACCEPTABLE_INTERESTING,
      desc = "While the stub was idle again, and it did not get it.")
  @Outcome(id = "false, LEASED, true", expect = ACCEPTABLE, desc = "During the next lease.")
  @State
  public static class StaleHandle {
    private final LeaseTable table = givenBack();
    private boolean next;

    @Actor
    public void stale(ZLL_Result r) {
      boolean any = table.lease(0, FIRST);
      any |= table.giveBack(0, FIRST);
      any |= table.isLeased(0, FIRST);
      StubState seen = table.state(0);
      any |= table.lease(0, FIRST);
      any |= table.giveBack(0, FIRST);
      any |= table.isLeased(0, FIRST);
      r.r1 = any;
      r.r2 = seen;
    }

    @Actor
    public void tracerAndNextHolder() {
      next = table.lease(0, table.makeIdle(0));
    }

    @Arbiter
    public void after(ZLL_Result r) {
      r.r3 = next && table.isLeased(0, SECOND);
    }
  }

  /** A third thread looks at a lease: once ended it never lasts again, though the next one does. */
  @JCStressTest
  @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "Before its end.")
  @Outcome(
      id = "true, false",
      expect = ACCEPTABLE_INTERESTING,
      desc = "It ended between two looks.")
  @Outcome(id = "false, false", expect = ACCEPTABLE, desc = "After its end.")
  @State
  public static class EndedLease {
    private final LeaseTable table = leased();

    @Actor
    public void observer(ZZ_Result r) {
      r.r1 = table.isLeased(0, FIRST);
      r.r2 = table.isLeased(0, FIRST);
    }

    @Actor
    public void holderTracerAndNextHolder() {
      table.giveBack(0, FIRST);
      table.lease(0, table.makeIdle(0));
    }
  }

  /** The holder of a dead stub closes late: another stub has the slot, and is leased. */
  @JCStressTest
  @Outcome(id = "true, 0, true", expect = ACCEPTABLE, desc = "Too late, and nobody is harmed.")
  @Outcome(
      id = "true, 1, true",
      expect = ACCEPTABLE_INTERESTING,
      desc = "Given back, once, before the death.")
  @State
  public static class LateGiveBackOfTheDead {
    private final LeaseTable table = leased();

    @Actor
    public void holder(ZIZ_Result r) {
      r.r2 = (table.giveBack(0, FIRST) ? 1 : 0) + (table.giveBack(0, FIRST) ? 1 : 0);
    }

    @Actor
    public void tracerAndNextHolder(ZIZ_Result r) {
      r.r1 = table.lease(0, bearNext(table));
    }

    @Arbiter
    public void after(ZIZ_Result r) {
      r.r3 = table.isLeased(0, SECOND);
    }
  }

  /** A thread took an idle stub that died, and leases it late: another stub is idle in its slot. */
  @JCStressTest
  @Outcome(id = "true, 0, true", expect = ACCEPTABLE, desc = "Too late, and no lease.")
  @Outcome(
      id = "true, 1, true",
      expect = ACCEPTABLE_INTERESTING,
      desc = "Leased, once, before the death.")
  @State
  public static class LateLeaseOfTheDead {
    private final LeaseTable table = idle();

    @Actor
    public void holder(ZIZ_Result r) {
      r.r2 = (table.lease(0, FIRST) ? 1 : 0) + (table.lease(0, FIRST) ? 1 : 0);
    }

    @Actor
    public void tracer(ZIZ_Result r) {
      r.r1 = bearNext(table) == SECOND;
    }

    @Arbiter
    public void after(ZIZ_Result r) {
      r.r3 = table.lease(0, SECOND);
    }
  }

  /** Who leases a stub sees what was done to it before it was shelved. */
  @JCStressTest
  @Outcome(id = "true, 1", expect = ACCEPTABLE_INTERESTING, desc = "Leased, and as it was shelved.")
  @Outcome(id = "false, 0", expect = ACCEPTABLE, desc = "Not shelved yet.")
  @State
  public static class ShelvePublishes {
    private final LeaseTable table = givenBack();
    private int stub;

    @Actor
    public void tracer() {
      stub = 1;
      table.makeIdle(0);
    }

    @Actor
    public void holder(ZI_Result r) {
      if (table.lease(0, SECOND)) {
        r.r1 = true;
        r.r2 = stub;
      }
    }
  }

  /** Who sees that a stub was given back sees what its holder did to it. */
  @JCStressTest
  @Outcome(id = "1", expect = ACCEPTABLE_INTERESTING, desc = "Given back, as its holder left it.")
  @Outcome(id = "-1", expect = ACCEPTABLE, desc = "Not given back yet.")
  @State
  public static class GiveBackPublishes {
    private final LeaseTable table = leased();
    private int stub;

    @Actor
    public void holder() {
      stub = 1;
      table.giveBack(0, FIRST);
    }

    @Actor
    public void tracer(I_Result r) {
      r.r1 = table.state(0) == StubState.RESETTING ? stub : -1;
    }
  }
}
