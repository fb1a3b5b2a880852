package dev.stubpool.support;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.pool.Lease;
import dev.stubpool.pool.Pool;
import dev.stubpool.pool.StubProcess;
import dev.stubpool.thread.TracerThread;

/** What is behind the interfaces of the API. */
public final class Internals {
  private Internals() {}

  /** The process of a lease. */
  public static StubProcess process(Stub stub) {
    return ((Lease) stub).process();
  }

  /** The forge tracer's thread. */
  public static TracerThread tracerThread(StubPool pool) {
    return ((Pool) pool).tracerThread();
  }

  /** The descriptors that the pool's stubs may map. */
  public static MappableWindow window(StubPool pool) {
    return ((Pool) pool).window();
  }
}
