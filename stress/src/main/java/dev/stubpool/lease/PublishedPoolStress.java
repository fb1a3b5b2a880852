package dev.stubpool.lease;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import dev.stubpool.lease.PublishedPool.PublishedStub;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** A {@link PublishedPool} read while the table changes. */
public final class PublishedPoolStress {
  private PublishedPoolStress() {}

  /** A stub dies and another gets its slot: the reader sees one of them, not something of each. */
  @JCStressTest
  @Outcome(id = "1 IDLE 1", expect = ACCEPTABLE, desc = "The first stub.")
  @Outcome(id = "1 DEAD 1", expect = ACCEPTABLE_INTERESTING, desc = "The first stub died.")
  @Outcome(id = "none", expect = ACCEPTABLE_INTERESTING, desc = "The slot was free.")
  @Outcome(id = "2 FORGING 1", expect = ACCEPTABLE_INTERESTING, desc = "The second stub is made.")
  @Outcome(id = "2 IDLE 2", expect = ACCEPTABLE, desc = "The second stub.")
  @State
  public static class ReusedSlot {
    private final MemorySegment memory =
        MemorySegment.ofArray(new long[(int) LeaseTable.bytes(1) / Long.BYTES]);
    private final LeaseTable table = new LeaseTable(memory, "", 1, 0, 0);

    /** Begins with an idle stub. */
    public ReusedSlot() {
      table.makeIdle(table.claim(1));
    }

    @Actor
    public void tracer() {
      table.die(0);
      table.free(0);
      table.makeIdle(table.claim(2));
    }

    @Actor
    public void reader(L_Result r) {
      r.r1 =
          PublishedPool.read(memory).orElseThrow().stubs().stream()
              .findFirst()
              .map(ReusedSlot::describe)
              .orElse("none");
    }

    private static String describe(PublishedStub stub) {
      return stub.pid() + " " + stub.state() + " " + stub.generation();
    }
  }
}
