package dev.stubpool.cli.pools;

import dev.stubpool.StubState;
import dev.stubpool.lease.PublishedPool.PublishedStub;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * A stub, or a pool's source, whose state is published by its pool.
 *
 * @param process its process
 * @param state {@link #SOURCE} or the state in lower case
 * @param since the time that it has been in that state, if the pool publishes it
 * @param lease the number of its current lease, if any
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

  /** The name of a state in the output. */
  public static String nameOf(StubState state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** Whether it is the pool's source. */
  public boolean isSource() {
    return state.equals(SOURCE);
  }

  /**
   * The time in the current state, limited to the age of the process because a pool's clock is
   * coarse.
   */
  private static Optional<Duration> since(PublishedStub stub, long now, Duration age) {
    Duration time = Duration.ofNanos(now - stub.since());
    return Optional.of(time.compareTo(age) < 0 ? time : age).filter(some -> !some.isNegative());
  }
}
