package dev.stubpool.cli.demo;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import java.util.List;

/** A point at which the demo may pause while all its stubs live. Closed when the demo has ended. */
interface HoldPoint extends AutoCloseable {
  /** Does not pause. */
  HoldPoint NONE = (pool, stubs) -> {};

  /** Pauses until the user continues. */
  void hold(StubPool pool, List<Stub> stubs);

  @Override
  default void close() {}
}
