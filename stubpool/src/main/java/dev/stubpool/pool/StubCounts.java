package dev.stubpool.pool;

import dev.stubpool.StubPoolStats;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;

/**
 * How many stubs of a pool are in each state, and how many have been made, reset, discarded, or
 * have died.
 *
 * <p>Only the tracer thread moves stubs from one count to another, between {@link #beginTransition}
 * and {@link #endTransition}. There is one exception: any thread may lease an idle stub, by {@link
 * #leased}. Any thread may read.
 */
final class StubCounts {
  /** A sequence lock: odd while the tracer moves a stub from one count to another. */
  private final AtomicInteger transitions = new AtomicInteger();

  private final AtomicInteger total = new AtomicInteger();

  /** How many stubs can be leased. */
  private final AtomicInteger idle = new AtomicInteger();

  /**
   * How many stubs the tracer has taken from the queue of returned stubs, or from the idle ones,
   * and has not yet reset or seen dead.
   */
  private final AtomicInteger resetting = new AtomicInteger();

  /** Whether the queue of returned stubs is not served any more. */
  private volatile boolean closed;

  private final AtomicInteger forging = new AtomicInteger();
  private final AtomicLong created = new AtomicLong();
  private final AtomicLong recycled = new AtomicLong();
  private final AtomicLong discarded = new AtomicLong();
  private final AtomicLong died = new AtomicLong();
  private final AtomicLong lostLeases = new AtomicLong();

  // Accessed only by the tracer thread.

  /** How many stubs are copies of stubs and have not been idle since they were made. */
  private int copies;

  /** How many stubs died in the queue of returned stubs, and are counted until they leave it. */
  private int diedWhileQueued;

  // ---- any thread ----

  /** Counts an idle stub as leased. */
  void leased() {
    idle.getAndDecrement();
  }

  int idle() {
    return idle.get();
  }

  int total() {
    return total.get();
  }

  /**
   * A snapshot of the counts. While {@code transitions} does not change, stubs change only from
   * idle to leased, and from leased to queued. So if the number of idle stubs is the same before
   * and after the other counts are read, all of them were true at one moment.
   *
   * @param queued returns the length of the queue of returned stubs
   */
  StubPoolStats.Builder snapshot(IntSupplier queued) {
    int before;
    int alive;
    int free;
    int returning;
    do {
      before = transitions.get();
      alive = total.get();
      free = idle.get();
      returning = (closed ? 0 : queued.getAsInt()) + resetting.get();
    } while (idle.get() != free || !isUnchanged(before));
    return StubPoolStats.builder()
        .total(alive)
        .idle(free)
        .resetting(returning)
        .forging(forging.get())
        .created(created.get())
        .recycled(recycled.get())
        .discarded(discarded.get())
        .died(died.get())
        .lost(lostLeases.get());
  }

  /**
   * Whether no transition was under way at {@code before} or began since. If one was, yields the
   * CPU first, so that it can end.
   */
  private boolean isUnchanged(int before) {
    if ((before & 1) == 0 && transitions.get() == before) {
      return true;
    }
    Thread.yield();
    return false;
  }

  // ---- the tracer thread ----

  /** Begins moving a stub from one count to another. */
  void beginTransition() {
    transitions.incrementAndGet();
  }

  void endTransition() {
    transitions.incrementAndGet();
  }

  /** Sets how many stubs are being made. */
  void forging(int count) {
    forging.set(count);
  }

  /** One of the stubs that were being made is made. */
  void forged() {
    forging.decrementAndGet();
  }

  /** A stub is registered. Part of a transition. */
  void registered() {
    total.setRelease(total.getPlain() + 1);
    created.setRelease(created.getPlain() + 1);
  }

  /** A registered stub is a copy of a stub. */
  void countAsCopy(StubProcess process) {
    process.copy = true;
    copies++;
  }

  /** A stub has been idle, or was given to a caller of acquire, since it was made as a copy. */
  void noLongerCopy(StubProcess process) {
    if (process.copy) {
      process.copy = false;
      copies--;
    }
  }

  /** A stub is idle. Part of a transition. */
  void becameIdle() {
    idle.getAndIncrement();
  }

  /** An idle stub is not idle any more, but was not leased either. Part of a transition. */
  void noLongerIdle() {
    idle.getAndDecrement();
  }

  void startResetting(StubProcess process) {
    process.resetting = true;
    resetting.setRelease(resetting.getPlain() + 1);
  }

  void stopResetting(StubProcess process) {
    if (process.resetting) {
      process.resetting = false;
      resetting.setRelease(resetting.getPlain() - 1);
    }
  }

  /** A stub was reset. */
  void recycled() {
    recycled.setRelease(recycled.getPlain() + 1);
  }

  /** A lease was taken back because its handle is garbage. */
  void lostLease() {
    lostLeases.setRelease(lostLeases.getPlain() + 1);
  }

  /** A stub has left the queue of returned stubs. Part of a transition. */
  void dequeued(StubProcess process) {
    if (process.diedWhileQueued) {
      diedWhileQueued--;
      countOut(process);
    } else {
      startResetting(process);
    }
  }

  /**
   * A stub is dead. If it is queued, it is counted until it leaves the queue, since the total must
   * not be less than the sum of its parts. Part of a transition.
   */
  void ended(StubProcess process, boolean queued) {
    if (queued && !closed) {
      process.diedWhileQueued = true;
      diedWhileQueued++;
    } else {
      countOut(process);
    }
  }

  private void countOut(StubProcess process) {
    stopResetting(process);
    noLongerCopy(process);
    AtomicLong count = process.isDiscarded() ? discarded : died;
    count.setRelease(count.getPlain() + 1);
    total.setRelease(total.getPlain() - 1);
  }

  /** The queue is not served any more: what is in it counts as leased. Part of a transition. */
  void close() {
    closed = true;
    died.setRelease(died.getPlain() + diedWhileQueued);
    total.setRelease(total.getPlain() - diedWhileQueued);
    diedWhileQueued = 0;
  }

  /**
   * How many stubs callers of acquire have, including those that are returned and not yet reset.
   */
  int leasedByAcquire() {
    return total.getPlain() - idle.get() - copies;
  }

  long created() {
    return created.getPlain();
  }

  long died() {
    return died.getPlain();
  }
}
