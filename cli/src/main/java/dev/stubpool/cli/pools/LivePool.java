package dev.stubpool.cli.pools;

import dev.stubpool.StubState;
import dev.stubpool.lease.PublishedPool;
import java.util.List;
import java.util.Optional;

/**
 * A pool that publishes its stubs.
 *
 * @param published what it publishes; the pids in it are those of the JVM's own pid namespace
 * @param jvm the JVM, as seen from here
 * @param source its source, if it is alive
 * @param stubs all others, by pid
 */
public record LivePool(
    PublishedPool published, int jvm, Optional<PooledStub> source, List<PooledStub> stubs) {
  /** Its name. */
  public String name() {
    return published.name();
  }

  /** How many stubs are in that state. */
  public long count(StubState state) {
    String name = PooledStub.nameOf(state);
    return stubs.stream().filter(stub -> stub.state().equals(name)).count();
  }
}
