package dev.stubpool.cli.demo;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import java.util.List;

/** Where the demo may rest while all its stubs live. Closed when the demo has ended. */
interface HoldPoint extends AutoCloseable {
  /** Does not rest. */
  HoldPoint NONE = (pool, stubs) -> {};

  /** Rests until told to go on. */
  void hold(StubPool pool, List<Stub> stubs);

  @Override
  default void close() {}
}
