package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.signal.IntervalTimer;
import dev.stubpool.kernel.signal.SignalEvent;
import dev.stubpool.kernel.signal.SignalInfo;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The timers of a process: ITIMER_REAL of setitimer(2), and those of timer_create(2). */
public final class ProcessTimers {
  private static final int MOST = 128;

  private final ProcessTable table;
  private final GuestProcess process;
  private final IntervalTimer real;
  private final Map<Integer, Made> made = new HashMap<>();
  private int lastId = -1;
  private boolean refused;

  /** A timer of timer_create(2) and its clock. */
  private record Made(int clock, IntervalTimer timer) {}

  ProcessTimers(ProcessTable table, GuestProcess process) {
    this.table = table;
    this.process = process;
    this.real =
        new IntervalTimer(
            table.clock(),
            source -> process.send(SignalInfo.ofKernel(Signal.SIGALRM).from(source)));
  }

  /** Reports to the embedder, once, that CPU time timers are not supported. */
  public void refuseCpuTime() {
    if (!refused) {
      refused = true;
      table.tell("the program sets a timer of CPU time, which this kernel does not have");
    }
  }

  /** The timer of ITIMER_REAL and alarm(2). */
  public IntervalTimer real() {
    return real;
  }

  /**
   * timer_create(2).
   *
   * @param clock CLOCK_*
   * @param said its notification; empty for the default
   * @return its id
   * @throws ErrnoException EAGAIN if there are too many, EINVAL if the thread to notify does not
   *     exist
   */
  public int create(int clock, Optional<SignalEvent> said) {
    if (made.size() >= MOST) {
      throw new ErrnoException(Errno.EAGAIN);
    }
    int id = nextId();
    SignalEvent event = said.orElseGet(() -> SignalEvent.ofTimer(id));
    if (event.kind() == SignalEvent.SIGEV_THREAD_ID && thread(event).isEmpty()) {
      throw new ErrnoException(Errno.EINVAL);
    }
    made.put(
        id,
        new Made(clock, new IntervalTimer(table.clock(), source -> expired(id, event, source))));
    return id;
  }

  private int nextId() {
    do {
      lastId = (lastId + 1) & Integer.MAX_VALUE;
    } while (made.containsKey(lastId));
    return lastId;
  }

  private Optional<Task> thread(SignalEvent event) {
    return Optional.ofNullable(table.task(event.tid())).filter(t -> t.process() == process);
  }

  private boolean expired(int id, SignalEvent event, SignalInfo.Source source) {
    SignalInfo info = SignalInfo.ofTimer(event.signal(), id, event.value(), source);
    return switch (event.kind()) {
      case SignalEvent.SIGEV_NONE -> false;
      case SignalEvent.SIGEV_THREAD_ID -> thread(event).map(t -> t.send(info)).orElse(false);
      default -> process.send(info);
    };
  }

  /**
   * The timer with an id.
   *
   * @throws ErrnoException EINVAL if there is none
   */
  public IntervalTimer get(int id) {
    return find(id).timer();
  }

  /** The clock of a timer. */
  public int clock(int id) {
    return find(id).clock();
  }

  private Made find(int id) {
    Made found = made.get(id);
    if (found == null) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return found;
  }

  /** timer_delete(2). */
  public void delete(int id) {
    disarm(get(id));
    made.remove(id);
  }

  /** execve(2): deletes the timers of timer_create(2). */
  void exec() {
    made.values().forEach(one -> disarm(one.timer()));
    made.clear();
  }

  /** Stops all timers at the end of the process. */
  void close() {
    exec();
    disarm(real);
  }

  private static void disarm(IntervalTimer timer) {
    timer.set(Duration.ZERO, Duration.ZERO);
  }
}
