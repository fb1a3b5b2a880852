package dev.stubpool.cli.pools;

import dev.stubpool.StubState;
import dev.stubpool.lease.PublishedPool;
import java.util.List;
import java.util.Optional;

/**
 * A pool that publishes its stubs.
 *
 * @param published its lease table, with pids of the JVM's own pid namespace
 * @param jvm the JVM, as seen in this /proc
 * @param source its source stub, if it is alive
 * @param stubs all other stubs, by pid
 */
public record LivePool(
    PublishedPool published, int jvm, Optional<PooledStub> source, List<PooledStub> stubs) {
  /** The pool's name. */
  public String name() {
    return published.name();
  }

  /** The number of stubs in a state. */
  public long count(StubState state) {
    String name = PooledStub.nameOf(state);
    return stubs.stream().filter(stub -> stub.state().equals(name)).count();
  }
}
