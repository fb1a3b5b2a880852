package dev.stubpool;

import java.time.Duration;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * How a pool is to be. Made by {@link #builder()} or {@link #defaults()}.
 *
 * @param name what logs and messages call the pool
 * @param minIdle how many idle stubs the pool keeps ready in the background, 0 to maxStubs; the
 *     builder's default is 8, or maxStubs if that is less
 * @param maxStubs the most stubs alive at once, the source not counted, 1 to 1,000,000; the
 *     builder's default is 1,024, or minIdle if that is set and more
 * @param acquireTimeout how long {@link StubPool#acquire()} waits
 * @param maxWaiters the most threads that may wait for a stub at once, at least 1
 * @param idleTimeout for how long, up to twice, the pool keeps as many stubs above minIdle as were
 *     acquired at once; positive, at most 365 days. Idle stubs beyond that, such as copies that
 *     came back, are discarded within a sixtieth of it, or a second if that is longer; and at once
 *     when the kernel refuses a process or a thread
 * @param onStubDeath what the death of a stub does to others
 * @param onRelease what becomes of a stub when its lease is closed
 * @param affinity where tracer and stubs run
 * @param leakTraces whether each lease records where it was acquired, for the warning about one
 *     that was never closed; a few microseconds a lease
 * @param inspectable whether other processes of this user may see the states of the stubs, as
 *     {@code stubpool ps} does
 */
public record StubPoolOptions(
    String name,
    int minIdle,
    int maxStubs,
    Duration acquireTimeout,
    int maxWaiters,
    Duration idleTimeout,
    OnStubDeath onStubDeath,
    OnRelease onRelease,
    Affinity affinity,
    boolean leakTraces,
    boolean inspectable) {

  private static final int MOST_STUBS = 1_000_000;
  private static final int USUAL_IDLE = 8;
  private static final int USUAL_STUBS = 1024;
  private static final Duration LONGEST_IDLE = Duration.ofDays(365);

  /** Refuses what is out of range. */
  public StubPoolOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(acquireTimeout, "acquireTimeout");
    Objects.requireNonNull(idleTimeout, "idleTimeout");
    Objects.requireNonNull(onStubDeath, "onStubDeath");
    Objects.requireNonNull(onRelease, "onRelease");
    Objects.requireNonNull(affinity, "affinity");
    require(maxStubs >= 1 && maxStubs <= MOST_STUBS, "maxStubs", maxStubs, "1 to " + MOST_STUBS);
    require(minIdle >= 0 && minIdle <= maxStubs, "minIdle", minIdle, "0 to maxStubs, " + maxStubs);
    require(maxWaiters >= 1, "maxWaiters", maxWaiters, "at least 1");
    require(!acquireTimeout.isNegative(), "acquireTimeout", acquireTimeout, "not negative");
    require(
        idleTimeout.isPositive() && idleTimeout.compareTo(LONGEST_IDLE) <= 0,
        "idleTimeout",
        idleTimeout,
        "positive, at most " + LONGEST_IDLE);
    require(
        onStubDeath != OnStubDeath.KILL_JVM || onRelease != OnRelease.DISCARD,
        "onRelease",
        onRelease,
        "RECYCLE with onStubDeath KILL_JVM: to discard a stub would kill the JVM");
  }

  private static void require(boolean holds, String what, Object value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(what + " is " + value + ", must be " + range);
    }
  }

  /**
   * A pool named "stubpool" with 8 idle stubs, at most 1,024, a timeout of 30 s, and a minute for
   * idle stubs above those 8.
   */
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
    private OptionalInt minIdle = OptionalInt.empty();
    private OptionalInt maxStubs = OptionalInt.empty();
    private Duration acquireTimeout = Duration.ofSeconds(30);
    private int maxWaiters = 10_000;
    private Duration idleTimeout = Duration.ofMinutes(1);
    private OnStubDeath onStubDeath = OnStubDeath.REPLACE;
    private OnRelease onRelease = OnRelease.RECYCLE;
    private Affinity affinity = Affinity.ONE_CPU;
    private boolean leakTraces;
    private boolean inspectable = true;

    private Builder() {}

    /** What logs and messages call the pool. */
    public Builder name(String value) {
      name = value;
      return this;
    }

    /** How many idle stubs the pool keeps ready; 8 by default, or maxStubs if that is less. */
    public Builder minIdle(int value) {
      minIdle = OptionalInt.of(value);
      return this;
    }

    /** The most stubs alive at once; 1,024 by default, or minIdle if that is set and more. */
    public Builder maxStubs(int value) {
      maxStubs = OptionalInt.of(value);
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

    /** For how long the pool keeps as many stubs above minIdle as were acquired at once. */
    public Builder idleTimeout(Duration value) {
      idleTimeout = value;
      return this;
    }

    /** What the death of a stub does to others. */
    public Builder onStubDeath(OnStubDeath value) {
      onStubDeath = value;
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

    /** Whether each lease records where it was acquired. */
    public Builder leakTraces(boolean value) {
      leakTraces = value;
      return this;
    }

    /** Whether other processes of this user may see the states of the stubs. */
    public Builder inspectable(boolean value) {
      inspectable = value;
      return this;
    }

    /** The options, checked. */
    public StubPoolOptions build() {
      int most = maxStubs.orElse(Math.clamp(minIdle.orElse(0), USUAL_STUBS, MOST_STUBS));
      return new StubPoolOptions(
          name,
          minIdle.orElse(Math.clamp(most, 0, USUAL_IDLE)),
          most,
          acquireTimeout,
          maxWaiters,
          idleTimeout,
          onStubDeath,
          onRelease,
          affinity,
          leakTraces,
          inspectable);
    }
  }
}
