package dev.stubpool.cli.pools;

import dev.stubpool.StubState;
import dev.stubpool.cli.proc.ProcessStatus;
import dev.stubpool.lease.PublishedPool.PublishedStub;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * A stub, its pool's source included, whose pool publishes what it is doing.
 *
 * @param process its process
 * @param state {@link #SOURCE} or the state in lower case
 * @param since how long it has been in that state, if the pool tells
 * @param lease the number of the lease that it is in, if it is in one
 */
public record PooledStub(
    ProcessStatus process, String state, Optional<Duration> since, Optional<Long> lease) {
  /** The state of a source. */
  public static final String SOURCE = "source";

  static PooledStub of(ProcessStatus process, PublishedStub stub, long now, Duration uptime) {
    boolean leased = stub.state() == StubState.LEASED || stub.state() == StubState.RESETTING;
    return new PooledStub(
        process,
        nameOf(stub.state()),
        since(stub, now, process.age(uptime)),
        leased ? Optional.of(stub.generation()) : Optional.empty());
  }

  static PooledStub source(ProcessStatus process, Duration uptime) {
    return new PooledStub(process, SOURCE, Optional.of(process.age(uptime)), Optional.empty());
  }

  /** What a state is called here. */
  public static String nameOf(StubState state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** Whether it is the source of all others. */
  public boolean isSource() {
    return state.equals(SOURCE);
  }

  /** A pool's clock is coarse, and its times early: no state is older than the process. */
  private static Optional<Duration> since(PublishedStub stub, long now, Duration age) {
    Duration time = Duration.ofNanos(now - stub.since());
    return Optional.of(time.compareTo(age) < 0 ? time : age).filter(some -> !some.isNegative());
  }
}
