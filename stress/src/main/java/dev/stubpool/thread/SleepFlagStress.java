package dev.stubpool.thread;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE_INTERESTING;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * A {@link SleepFlag} beside a queue. "Parks" means that the sleeper found the queue empty: it now
 * sleeps until somebody unparks it.
 */
public final class SleepFlagStress {
  private SleepFlagStress() {}

  /**
   * The weakest queue there is, so that all order is the flag's: an opaque write, an opaque read.
   */
  @JCStressTest
  @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "Parks, and is unparked.")
  @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "Sees the task, and was not asleep yet.")
  @Outcome(
      id = "true, true",
      expect = ACCEPTABLE_INTERESTING,
      desc = "Sees the task, and is unparked for nothing.")
  @State
  public static class NoTaskIsOverlooked {
    private static final VarHandle TASKS;

    static {
      try {
        TASKS = MethodHandles.lookup().findVarHandle(NoTaskIsOverlooked.class, "tasks", int.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    private final SleepFlag flag = new SleepFlag();

    @SuppressWarnings("unused") // but through TASKS
    private int tasks;

    @Actor
    public void sleeper(ZZ_Result r) {
      flag.prepareToSleep();
      r.r1 = (int) TASKS.getOpaque(this) != 0;
    }

    @Actor
    public void waker(ZZ_Result r) {
      TASKS.setOpaque(this, 1);
      r.r2 = flag.wake();
    }
  }

  /**
   * With the queue of {@link TracerThread}. The first sleep ends by itself, as a sleep may, just
   * when a task comes; if the waker then relies on the sleeper, the sleeper must see the task.
   */
  @JCStressTest
  @Outcome(id = "true, true, true", expect = ACCEPTABLE, desc = "Nothing at first, then the task.")
  @Outcome(id = "true, true, false", expect = ACCEPTABLE, desc = "The task was there before.")
  @Outcome(id = "false, true, true", expect = ACCEPTABLE, desc = "Parks once, and is unparked.")
  @Outcome(
      id = "false, true, false",
      expect = ACCEPTABLE_INTERESTING,
      desc = "Parks, wakes by itself, is not unparked, and sees the task before it parks again.")
  @Outcome(id = "false, false, true", expect = ACCEPTABLE, desc = "Parks twice, and is unparked.")
  @State
  public static class NoTaskIsOverlookedAgain {
    private final SleepFlag flag = new SleepFlag();
    private final MpscUnboundedVarHandleArrayQueue<Object> queue =
        new MpscUnboundedVarHandleArrayQueue<>(2);

    @Actor
    public void sleeper(ZZZ_Result r) {
      flag.prepareToSleep();
      r.r1 = !queue.isEmpty();
      flag.awake();
      flag.prepareToSleep();
      r.r2 = !queue.isEmpty();
    }

    @Actor
    public void waker(ZZZ_Result r) {
      queue.offer(this);
      r.r3 = flag.wake();
    }
  }

  /** Of all that wake one sleeper, one is to unpark it. */
  @JCStressTest
  @Outcome(id = "true, false, false", expect = ACCEPTABLE, desc = "The first.")
  @Outcome(
      id = "false, true, false",
      expect = ACCEPTABLE_INTERESTING,
      desc = "The second, which overtook the first.")
  @State
  public static class OneUnpark {
    private final SleepFlag flag = new SleepFlag();

    /** Begins asleep. */
    public OneUnpark() {
      flag.prepareToSleep();
    }

    @Actor
    public void one(ZZZ_Result r) {
      r.r1 = flag.wake();
    }

    @Actor
    public void other(ZZZ_Result r) {
      r.r2 = flag.wake();
    }

    @Arbiter
    public void after(ZZZ_Result r) {
      r.r3 = flag.wake();
    }
  }
}
