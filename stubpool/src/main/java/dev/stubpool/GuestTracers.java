package dev.stubpool;

import dev.stubpool.trace.CpuBinding;
import dev.stubpool.trace.GuestThread;
import dev.stubpool.trace.Seams;
import dev.stubpool.trace.Tracer;
import dev.stubpool.trace.TracerThread;
import java.time.Duration;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that run a pool's guests, one guest each at a time. Made when there is none idle, and
 * ended when idle for long.
 */
final class GuestTracers {
  private static final Logger LOG = LoggerFactory.getLogger(GuestTracers.class);
  private static final long IDLE_NANOS = Duration.ofSeconds(30).toNanos();

  private final StubPoolOptions options;
  private final Seams seams;
  private final Deque<One> idle = new ConcurrentLinkedDeque<>();
  private final Set<One> all = ConcurrentHashMap.newKeySet();
  private final AtomicInteger made = new AtomicInteger();
  private volatile boolean closed;

  GuestTracers(StubPoolOptions options, Seams seams) {
    this.options = options;
    this.seams = seams;
  }

  /**
   * Takes an idle one, or makes one; {@link #put} gives it back.
   *
   * @throws StubPoolException if the system refuses a thread
   */
  One take() {
    One one = idle.pollFirst();
    if (one == null) {
      one = new One(made.incrementAndGet());
      all.add(one);
      try {
        one.thread.start();
      } catch (RuntimeException | Error e) {
        all.remove(one); // no thread to be had: nobody is to wait for its end
        throw e;
      }
    }
    if (closed) {
      one.thread.stop(); // close may have missed it
    }
    return one;
  }

  void put(One one) {
    one.idleSince = System.nanoTime();
    idle.addFirst(one);
    if (one.ending) {
      idle.remove(one); // its own look may have come before this
    }
  }

  /** Ends all threads, as soon as their guests' programs are over; whether all ended in time. */
  boolean close(Duration atMost) {
    closed = true;
    long deadline = System.nanoTime() + atMost.toNanos();
    all.forEach(one -> one.thread.stop());
    boolean ended = true;
    for (One one : all) {
      Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
      ended &= one.thread.awaitEnd(left);
    }
    return ended;
  }

  /** One thread and its tracer. */
  final class One implements TracerThread.Work {
    final TracerThread thread;
    private final int turn;
    private Tracer tracer;
    private GuestThread.Buffers buffers;
    private volatile boolean ending;
    private volatile long idleSince = System.nanoTime();

    private One(int turn) {
      this.turn = turn;
      this.thread = new TracerThread("stubpool-guest-" + options.name(), this);
    }

    /** The tracer thread's alone. */
    Tracer tracer() {
      return tracer;
    }

    /** The tracer thread's alone. */
    GuestThread.Buffers buffers() {
      return buffers;
    }

    @Override
    public boolean begin() {
      try {
        tracer = new Tracer(seams.patience(), seams.armParentDeathSignal(), _ -> {});
        buffers = new GuestThread.Buffers();
        if (options.affinity() == Affinity.ONE_CPU) {
          CpuBinding.bind(turn);
        }
        return true;
      } catch (RuntimeException | Error e) {
        LOG.error("pool {}: a guest tracer cannot begin: {}", options.name(), e.getMessage(), e);
        return false;
      }
    }

    @Override
    public boolean turn() {
      if (System.nanoTime() - idleSince >= IDLE_NANOS && idle.remove(this)) {
        thread.stop();
      }
      return false;
    }

    @Override
    public void failed(Throwable e) {
      LOG.error("pool {}: {}", options.name(), e.getMessage(), e);
    }

    @Override
    public boolean isIdle() {
      return true;
    }

    @Override
    public long patienceNanos() {
      return IDLE_NANOS;
    }

    @Override
    public void end() {
      ending = true;
      idle.remove(this);
      all.remove(this);
      if (tracer != null) {
        tracer.close();
      }
    }
  }
}
