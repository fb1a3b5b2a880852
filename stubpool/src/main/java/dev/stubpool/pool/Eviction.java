package dev.stubpool.pool;

import dev.stubpool.OnStubDeath;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubState;
import dev.stubpool.forge.StubFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.LongSupplier;

/**
 * Discards idle stubs, those that were idle for longest first: the stubs beyond demand, and as many
 * as are asked for when their room is needed.
 *
 * <p>Demand is {@code minIdle} plus the most stubs that callers of acquire had at once within the
 * last one to two {@code idleTimeout}. Copies of stubs do not count, since an idle stub cannot
 * replace a copy. Stubs beyond demand are discarded within a sixtieth of {@code idleTimeout}.
 *
 * <p>Confined to the tracer thread.
 */
final class Eviction {
  /** How many times in an idleTimeout the idle stubs are compared with demand. */
  private static final int TRIMS = 60;

  /** The most stubs discarded in one turn, since callers wait for the turn to end. */
  private static final int MOST_TRIMMED_AT_ONCE = 8;

  /** Stale handles are unlinked once they are more than this and more than the idle stubs. */
  private static final int MOST_STALE = 16;

  private final StubPoolOptions options;
  private final LongSupplier clock;
  private final StubFactory factory;
  private final SequencedMap<Integer, StubProcess> processes;
  private final IdleStubs idle;
  private final StubCounts counts;

  private final long trimNanos;
  private long windowStart;

  /** The most stubs that callers of acquire had at once in this window. */
  private int demand;

  /** The same of the window before. */
  private int demandBefore;

  private long trimmedAt;

  /** How many idle stubs trimming is still to discard. */
  private int surplus;

  /** How many handles in the stack are of stubs that are dead or discarded. */
  private int stale;

  /**
   * Makes one that has seen no demand.
   *
   * @param clock returns the time as {@link System#nanoTime} does
   * @param processes all stubs by pid; the idle ones are in the order in which they became idle
   * @param idle the handles of the idle stubs
   */
  Eviction(
      StubPoolOptions options,
      LongSupplier clock,
      StubFactory factory,
      SequencedMap<Integer, StubProcess> processes,
      IdleStubs idle,
      StubCounts counts) {
    this.options = options;
    this.clock = clock;
    this.factory = factory;
    this.processes = processes;
    this.idle = idle;
    this.counts = counts;
    this.trimNanos = options.idleTimeout().toNanos() / TRIMS;
    this.windowStart = clock.getAsLong();
    this.trimmedAt = windowStart;
  }

  /** Whether the pool may discard idle stubs at all: under KILL_JVM a death ends the JVM. */
  boolean isAllowed() {
    return options.onStubDeath() != OnStubDeath.KILL_JVM;
  }

  /** Takes account of how many stubs callers have now. */
  void noteDemand() {
    demand = Math.max(demand, counts.leasedByAcquire());
  }

  /** Discards some of the idle stubs beyond demand; returns whether there is more to do. */
  boolean trim() {
    long now = clock.getAsLong();
    if (now - windowStart >= options.idleTimeout().toNanos()) {
      windowStart = now;
      demandBefore = demand;
      demand = counts.leasedByAcquire();
      trimmedAt = now - trimNanos;
    }
    if (now - trimmedAt >= trimNanos) {
      trimmedAt = now;
      surplus = isAllowed() ? options.maxStubs() : 0;
    }
    if (surplus > 0) {
      surplus = Math.clamp(beyondDemand(), 0, surplus); // some may have been leased since
    }
    if (surplus == 0) {
      return false;
    }
    int discarded = discardColdest(Math.min(surplus, MOST_TRIMMED_AT_ONCE));
    surplus = discarded > 0 ? surplus - discarded : 0;
    if (surplus == 0) {
      unlinkStale();
    }
    return surplus > 0;
  }

  /** How many idle stubs would be left over if demand rose to its recent maximum again. */
  private int beyondDemand() {
    int wanted = Math.max(demand, demandBefore) - counts.leasedByAcquire();
    return counts.idle() - options.minIdle() - Math.max(0, wanted);
  }

  /**
   * Discards up to {@code most} idle stubs, those that were idle for longest first; returns how
   * many.
   */
  int discardColdest(int most) {
    List<StubProcess> coldest = new ArrayList<>(most);
    try {
      claimColdest(coldest, most);
    } finally {
      for (int i = 0; i < coldest.size(); i++) { // kill all before waiting: they die in parallel
        coldest.get(i).markDiscarded();
        factory.kill(coldest.get(i).tracee);
      }
    }
    RuntimeException failure = null;
    for (StubProcess process : coldest) {
      try {
        factory.discard(process.tracee);
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (stale > Math.max(MOST_STALE, counts.idle())) {
      unlinkStale();
    }
    if (failure != null) {
      throw failure;
    }
    return coldest.size();
  }

  private void claimColdest(List<StubProcess> coldest, int most) {
    List<StubProcess> busy = new ArrayList<>();
    for (StubProcess process : processes.values()) {
      if (coldest.size() == most || counts.idle() == 0) {
        break;
      }
      (claimIdle(process) ? coldest : busy).add(process);
    }
    for (StubProcess process : busy) {
      // So that the next search does not find it at the front again.
      processes.putLast(process.tracee.pid(), process);
    }
  }

  private boolean claimIdle(StubProcess process) {
    if (process.state() != StubState.IDLE) {
      return false;
    }
    counts.beginTransition();
    try {
      if (!process.claimIdle()) {
        return false;
      }
      becameStale();
      counts.startResetting(process);
      return true;
    } finally {
      counts.endTransition();
    }
  }

  /**
   * An idle stub is dead or claimed, and its handle is still in the stack. Part of a transition.
   */
  void becameStale() {
    counts.noLongerIdle();
    stale++;
  }

  /** Removes the handles of dead and discarded stubs from the stack of idle stubs. */
  void unlinkStale() {
    idle.unlink(stub -> !stub.process().isIdle(stub.generation()));
    stale = 0;
  }
}
