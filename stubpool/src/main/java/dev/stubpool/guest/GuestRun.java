package dev.stubpool.guest;

import dev.stubpool.GuestProgram;
import dev.stubpool.StubDiedException;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.thread.Request;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One {@link dev.stubpool.Stub#run}: submitted by its caller, performed on a guest tracer. */
public final class GuestRun<T extends @Nullable Object, X extends Exception> extends Request {
  private final GuestHost host;
  private final GuestProgram<T, X> program;
  private @Nullable Tracee thread;
  private GuestTracers.@Nullable GuestTracer tracer;

  @SuppressWarnings("NullAway.Init") // read only after the program returned it
  private T result;

  private @Nullable Exception thrown;
  private volatile boolean begun;
  private volatile @Nullable RunningGuest guest;
  private volatile @Nullable Supplier<RuntimeException> end;

  /** Makes a run of a program in the stub of a lease. */
  public GuestRun(GuestHost host, GuestProgram<T, X> program) {
    this.host = host;
    this.program = program;
  }

  /**
   * Sets what the run needs before it is submitted.
   *
   * @param stubsThread a parked thread of the stub
   * @param guestTracer the tracer whose thread the run is submitted to
   */
  public void prepare(Tracee stubsThread, GuestTracers.GuestTracer guestTracer) {
    thread = stubsThread;
    tracer = guestTracer;
  }

  /**
   * Has the run end by an exception, which the run's own thread makes. May be called from any
   * thread, and more than once: the last cause counts.
   */
  public void endBy(Supplier<RuntimeException> cause) {
    // Written before the guest is read; perform writes the guest before it reads this (both
    // volatile).
    end = cause;
    RunningGuest running = guest;
    if (running != null) {
      running.endBy(cause);
    }
  }

  @Override
  protected long perform() {
    begun = true;
    GuestEngine engine = takeOver();
    RunningGuest mine;
    try {
      mine = new RunningGuest(host, engine);
      mine.begin();
    } catch (Error e) {
      host.tracee().kill(); // no program would end its new thread
      throw e;
    }
    try {
      guest = mine;
      Supplier<RuntimeException> cause = end;
      if (cause != null) {
        mine.endBy(cause);
      }
      result = program.run(mine);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      thrown = e;
    } finally {
      mine.finish();
    }
    return 0;
  }

  /** Whether the tracer has begun to perform the run, so that it ends the thread of the stub. */
  public boolean hasBegun() {
    return begun;
  }

  private GuestEngine takeOver() {
    GuestTracers.GuestTracer mine = Objects.requireNonNull(tracer, "not prepared");
    Tracee stubsThread = Objects.requireNonNull(thread, "not prepared");
    try {
      return new PtraceEngine(mine.tracer(), host.tracee(), stubsThread, mine.buffers());
    } catch (StubDiedException e) {
      throw Failures.make().died(host.tracee().pid(), host.awaitDeath(), "starting a guest");
    }
  }

  /** The result of the program, or throws its checked exception; once the run was performed. */
  @SuppressWarnings("unchecked") // the program throws nothing else
  public T outcome() throws X {
    if (thrown != null) {
      throw (X) thrown;
    }
    return result;
  }
}
