package dev.stubpool.guest;

import dev.stubpool.Affinity;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.forge.TestHooks;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.thread.CpuBinding;
import dev.stubpool.thread.TracerThread;
import java.time.Duration;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tracer threads that run a pool's guests, one guest each at a time. A thread is started when
 * no idle one is left, and ends when it was idle for 30 s.
 */
public final class GuestTracers {
  private static final Logger LOG = LoggerFactory.getLogger(GuestTracers.class);
  private static final long IDLE_NANOS = Duration.ofSeconds(30).toNanos();

  private final StubPoolOptions options;
  private final TestHooks hooks;
  private final Deque<GuestTracer> idle = new ConcurrentLinkedDeque<>();
  private final Set<GuestTracer> all = ConcurrentHashMap.newKeySet();
  private final AtomicInteger made = new AtomicInteger();
  private volatile boolean closed;

  /** Makes the guest tracers of a pool, without a thread yet. */
  public GuestTracers(StubPoolOptions options, TestHooks hooks) {
    this.options = options;
    this.hooks = hooks;
  }

  /**
   * Takes an idle tracer, or starts one; {@link #put} gives it back.
   *
   * @throws StubPoolException if the system refuses a thread
   */
  public GuestTracer take() {
    GuestTracer tracer = idle.pollFirst();
    if (tracer == null) {
      tracer = new GuestTracer(made.incrementAndGet());
      all.add(tracer);
      try {
        tracer.thread.start();
      } catch (RuntimeException | Error e) {
        all.remove(tracer); // it has no thread whose end close could wait for
        throw e;
      }
    }
    if (closed) {
      tracer.thread.stop(); // close may have looked before it was added
    }
    return tracer;
  }

  /** Gives back a tracer that was taken. */
  public void put(GuestTracer tracer) {
    tracer.idleSince = System.nanoTime();
    idle.addFirst(tracer);
    if (tracer.ending) {
      idle.remove(tracer); // its end may have looked before it was added
    }
  }

  /**
   * Ends all threads, each when the program of its guest is over.
   *
   * @return whether all ended in time
   */
  public boolean close(Duration atMost) {
    closed = true;
    long deadline = System.nanoTime() + atMost.toNanos();
    all.forEach(tracer -> tracer.thread.stop());
    boolean ended = true;
    for (GuestTracer tracer : all) {
      Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
      ended &= tracer.thread.awaitEnd(left);
    }
    return ended;
  }

  /** One thread and its tracer. */
  public final class GuestTracer implements TracerThread.Work {
    private final TracerThread thread;
    private final int turn;

    @SuppressWarnings("NullAway.Init") // set by begin, before the thread performs anything
    private StopRunner tracer;

    @SuppressWarnings("NullAway.Init") // set by begin, too
    private PtraceEngine.Buffers buffers;

    private volatile boolean ending;
    private volatile long idleSince = System.nanoTime();

    private GuestTracer(int turn) {
      this.turn = turn;
      this.thread = new TracerThread("stubpool-guest-" + options.name(), this);
    }

    /** The thread that performs what is submitted. */
    public TracerThread thread() {
      return thread;
    }

    /** Accessed only on {@link #thread}. */
    StopRunner tracer() {
      return tracer;
    }

    /** Accessed only on {@link #thread}. */
    PtraceEngine.Buffers buffers() {
      return buffers;
    }

    @Override
    public boolean begin() {
      try {
        tracer = new StopRunner(hooks.patience(), hooks.armParentDeathSignal(), _ -> {});
        buffers = new PtraceEngine.Buffers();
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
