package dev.stubpool;

import java.time.Duration;
import java.util.Objects;

/**
 * How a pool is to be. Made by {@link #builder()} or {@link #defaults()}.
 *
 * @param name what logs and messages call the pool
 * @param minIdle how many idle stubs the pool keeps ready in the background, 0 to maxStubs
 * @param maxStubs the most stubs alive at once, the source not counted, 1 to 1,000,000
 * @param acquireTimeout how long {@link StubPool#acquire()} waits
 * @param maxWaiters the most threads that may wait for a stub at once, at least 1
 * @param onRelease what becomes of a stub when its lease is closed
 * @param affinity where tracer and stubs run
 */
public record StubPoolOptions(
    String name,
    int minIdle,
    int maxStubs,
    Duration acquireTimeout,
    int maxWaiters,
    OnRelease onRelease,
    Affinity affinity) {

  private static final int MOST_STUBS = 1_000_000;

  /** Refuses what is out of range. */
  public StubPoolOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(acquireTimeout, "acquireTimeout");
    Objects.requireNonNull(onRelease, "onRelease");
    Objects.requireNonNull(affinity, "affinity");
    require(maxStubs >= 1 && maxStubs <= MOST_STUBS, "maxStubs", maxStubs, "1 to " + MOST_STUBS);
    require(minIdle >= 0 && minIdle <= maxStubs, "minIdle", minIdle, "0 to maxStubs, " + maxStubs);
    require(maxWaiters >= 1, "maxWaiters", maxWaiters, "at least 1");
    require(!acquireTimeout.isNegative(), "acquireTimeout", acquireTimeout, "not negative");
  }

  private static void require(boolean holds, String what, Object value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(what + " is " + value + ", must be " + range);
    }
  }

  /** A pool named "stubpool" with 8 idle stubs, at most 1,024, and a timeout of 30 s. */
  public static StubPoolOptions defaults() {
    return builder().build();
  }

  /** A builder with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options. */
  public static final class Builder {
    private String name = "stubpool";
    private int minIdle = 8;
    private int maxStubs = 1024;
    private Duration acquireTimeout = Duration.ofSeconds(30);
    private int maxWaiters = 10_000;
    private OnRelease onRelease = OnRelease.RECYCLE;
    private Affinity affinity = Affinity.ONE_CPU;

    private Builder() {}

    /** What logs and messages call the pool. */
    public Builder name(String value) {
      name = value;
      return this;
    }

    /** How many idle stubs the pool keeps ready. */
    public Builder minIdle(int value) {
      minIdle = value;
      return this;
    }

    /** The most stubs alive at once. */
    public Builder maxStubs(int value) {
      maxStubs = value;
      return this;
    }

    /** How long {@link StubPool#acquire()} waits. */
    public Builder acquireTimeout(Duration value) {
      acquireTimeout = value;
      return this;
    }

    /** The most threads that may wait at once. */
    public Builder maxWaiters(int value) {
      maxWaiters = value;
      return this;
    }

    /** What becomes of a released stub. */
    public Builder onRelease(OnRelease value) {
      onRelease = value;
      return this;
    }

    /** Where tracer and stubs run. */
    public Builder affinity(Affinity value) {
      affinity = value;
      return this;
    }

    /** The options, checked. */
    public StubPoolOptions build() {
      return new StubPoolOptions(
          name, minIdle, maxStubs, acquireTimeout, maxWaiters, onRelease, affinity);
    }
  }
}
