package dev.stubpool;

import dev.stubpool.trace.GuestThread;
import dev.stubpool.trace.Request;
import dev.stubpool.trace.Tracee;
import java.util.function.Supplier;

/** One {@link Stub#run}: asked for by its caller, done on a guest tracer. */
final class GuestRun<T, X extends Exception> extends Request {
  private final StubPool pool;
  private final Stub stub;
  private final GuestProgram<T, X> program;
  private Tracee thread;
  private GuestTracers.One tracer;
  private T result;
  private Exception thrown;
  private volatile Guest guest;
  private volatile Supplier<RuntimeException> end;

  GuestRun(StubPool pool, Stub stub, GuestProgram<T, X> program) {
    this.pool = pool;
    this.stub = stub;
    this.program = program;
  }

  /** Tells which thread of the stub it has, and which tracer will do it. */
  void prepare(Tracee stubsThread, GuestTracers.One guestTracer) {
    thread = stubsThread;
    tracer = guestTracer;
  }

  /** Has the run end by an exception. Any thread, once or more: the last counts. */
  void endBy(Supplier<RuntimeException> cause) {
    end = cause; // before the guest is looked at, which is written before this is read
    Guest running = guest;
    if (running != null) {
      running.endBy(cause);
    }
  }

  @Override
  protected long perform() {
    GuestThread taken = takeOver();
    Guest mine;
    try {
      mine = new Guest(pool, stub, taken);
    } catch (Error e) {
      stub.process().tracee.kill(); // its new thread has no owner
      throw e;
    }
    guest = mine;
    if (end != null) {
      mine.endBy(end);
    }
    mine.begin();
    try {
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

  private GuestThread takeOver() {
    try {
      return new GuestThread(tracer.tracer(), stub.process().tracee, thread, tracer.buffers());
    } catch (StubDiedException e) {
      throw new StubDiedException(stub.pid(), pool.deathOf(stub), "starting a guest");
    }
  }

  /** What came of it, once it was done. */
  @SuppressWarnings("unchecked") // the program throws nothing else
  T outcome() throws X {
    if (thrown != null) {
      throw (X) thrown;
    }
    return result;
  }
}
