package dev.stubpool;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * Immutable configuration of a {@link StubPool}. Made by {@link #builder()}, {@link #defaults()} or
 * {@link #toBuilder()}; two configurations are equal if all their options are.
 */
public final class StubPoolOptions {

  private static final int MOST_STUBS = 1_000_000;
  private static final int USUAL_IDLE = 8;
  private static final int USUAL_STUBS = 1024;
  private static final Duration LONGEST_IDLE = Duration.ofDays(365);
  private static final SeccompPolicy NO_RESTRICTION =
      SeccompPolicy.builder(Architecture.X86_64)
          .defaultAction(SeccompAction.ALLOW)
          .badArchitectureAction(SeccompAction.TRAP)
          .build();

  private final String name;
  private final int minIdle;
  private final int maxStubs;
  private final Duration acquireTimeout;
  private final int maxWaiters;
  private final Duration idleTimeout;
  private final OnStubDeath onStubDeath;
  private final OnRelease onRelease;
  private final SeccompPolicy policy;
  private final Affinity affinity;
  private final boolean leakTraces;
  private final boolean inspectable;

  /** As the builder was told, for {@link #toBuilder()}: the default of one follows the other. */
  private final OptionalInt givenMinIdle;

  private final OptionalInt givenMaxStubs;

  private StubPoolOptions(Builder builder) {
    name = Objects.requireNonNull(builder.name, "name");
    acquireTimeout = Objects.requireNonNull(builder.acquireTimeout, "acquireTimeout");
    maxWaiters = builder.maxWaiters;
    idleTimeout = Objects.requireNonNull(builder.idleTimeout, "idleTimeout");
    onStubDeath = Objects.requireNonNull(builder.onStubDeath, "onStubDeath");
    onRelease = Objects.requireNonNull(builder.onRelease, "onRelease");
    policy = Objects.requireNonNull(builder.policy, "policy");
    affinity = Objects.requireNonNull(builder.affinity, "affinity");
    leakTraces = builder.leakTraces;
    inspectable = builder.inspectable;
    givenMinIdle = builder.minIdle;
    givenMaxStubs = builder.maxStubs;
    maxStubs = givenMaxStubs.orElse(Math.clamp(givenMinIdle.orElse(0), USUAL_STUBS, MOST_STUBS));
    minIdle = givenMinIdle.orElse(Math.clamp(maxStubs, 0, USUAL_IDLE));

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
    checkThatItOnlyTraps(policy);
  }

  private static void require(boolean holds, String what, Object value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(what + " is " + value + ", must be " + range);
    }
  }

  private static void checkThatItOnlyTraps(SeccompPolicy policy) {
    SeccompAction byDefault = policy.defaultAction();
    require(
        byDefault.equals(SeccompAction.ALLOW), "the policy's default action", byDefault, "ALLOW");
    SeccompAction elsewhere = policy.badArchitectureAction();
    require(
        elsewhere.kind() == SeccompAction.Kind.TRAP,
        "the policy's action for other architectures",
        elsewhere,
        "TRAP");
    require(
        policy.rules().containsKey(Architecture.X86_64),
        "the policy",
        "for " + policy.rules().keySet(),
        "for X86_64: it would take away all calls");
    for (List<SeccompRule> rules : policy.rules().values()) {
      for (SeccompRule rule : rules) {
        require(
            rule.action().kind() == SeccompAction.Kind.TRAP,
            "the policy's action for call " + rule.nr(),
            rule.action(),
            "TRAP: a policy can only take calls away");
      }
    }
  }

  /**
   * {@return a pool named "stubpool" with 8 idle stubs, at most 1,024, a timeout of 30 s, and a
   * minute for idle stubs above those 8}
   */
  public static StubPoolOptions defaults() {
    return builder().build();
  }

  /** {@return a builder with the defaults} */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * {@return a builder with the values of this configuration} Where {@link Builder#minIdle} or
   * {@link Builder#maxStubs} was not called, its default goes on to follow the other one.
   */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.name = name;
    builder.minIdle = givenMinIdle;
    builder.maxStubs = givenMaxStubs;
    builder.acquireTimeout = acquireTimeout;
    builder.maxWaiters = maxWaiters;
    builder.idleTimeout = idleTimeout;
    builder.onStubDeath = onStubDeath;
    builder.onRelease = onRelease;
    builder.policy = policy;
    builder.affinity = affinity;
    builder.leakTraces = leakTraces;
    builder.inspectable = inspectable;
    return builder;
  }

  /** {@return the pool's name in logs and messages} */
  public String name() {
    return name;
  }

  /** {@return how many idle stubs the pool keeps ready} */
  public int minIdle() {
    return minIdle;
  }

  /** {@return the most stubs alive at once} */
  public int maxStubs() {
    return maxStubs;
  }

  /** {@return how long {@link StubPool#acquire()} waits} */
  public Duration acquireTimeout() {
    return acquireTimeout;
  }

  /** {@return the most threads that may wait for a stub at once} */
  public int maxWaiters() {
    return maxWaiters;
  }

  /** {@return how long the pool keeps idle stubs above minIdle} */
  public Duration idleTimeout() {
    return idleTimeout;
  }

  /** {@return what the death of a stub does to others} */
  public OnStubDeath onStubDeath() {
    return onStubDeath;
  }

  /** {@return what becomes of a stub when its lease is closed} */
  public OnRelease onRelease() {
    return onRelease;
  }

  /** {@return the policy that takes system calls away from stubs; without rules by default} */
  public SeccompPolicy policy() {
    return policy;
  }

  /** {@return on which CPUs tracers and stubs run} */
  public Affinity affinity() {
    return affinity;
  }

  /** {@return whether each lease records where it was acquired} */
  public boolean leakTraces() {
    return leakTraces;
  }

  /** {@return whether other processes of this user may see the states of the stubs} */
  public boolean inspectable() {
    return inspectable;
  }

  private List<Object> values() {
    return List.of(
        name,
        minIdle,
        maxStubs,
        acquireTimeout,
        maxWaiters,
        idleTimeout,
        onStubDeath,
        onRelease,
        policy,
        affinity,
        leakTraces,
        inspectable);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StubPoolOptions options && values().equals(options.values());
  }

  @Override
  public int hashCode() {
    return values().hashCode();
  }

  @Override
  public String toString() {
    return "StubPoolOptions[name="
        + name
        + ", minIdle="
        + minIdle
        + ", maxStubs="
        + maxStubs
        + ", acquireTimeout="
        + acquireTimeout
        + ", maxWaiters="
        + maxWaiters
        + ", idleTimeout="
        + idleTimeout
        + ", onStubDeath="
        + onStubDeath
        + ", onRelease="
        + onRelease
        + ", policy="
        + policy
        + ", affinity="
        + affinity
        + ", leakTraces="
        + leakTraces
        + ", inspectable="
        + inspectable
        + "]";
  }

  /** Collects options; {@link #build} checks them. Not thread-safe. */
  public static final class Builder {
    private String name = "stubpool";
    private OptionalInt minIdle = OptionalInt.empty();
    private OptionalInt maxStubs = OptionalInt.empty();
    private Duration acquireTimeout = Duration.ofSeconds(30);
    private int maxWaiters = 10_000;
    private Duration idleTimeout = Duration.ofMinutes(1);
    private OnStubDeath onStubDeath = OnStubDeath.REPLACE;
    private OnRelease onRelease = OnRelease.RECYCLE;
    private SeccompPolicy policy = NO_RESTRICTION;
    private Affinity affinity = Affinity.ONE_CPU;
    private boolean leakTraces;
    private boolean inspectable = true;

    private Builder() {}

    /**
     * The pool's name in logs, messages and the names of its threads.
     *
     * @param value any text; "stubpool" by default
     * @return this
     */
    public Builder name(String value) {
      name = value;
      return this;
    }

    /**
     * How many idle stubs the pool keeps ready in the background.
     *
     * @param value 0 to maxStubs; 8 by default, or maxStubs if that is less
     * @return this
     */
    public Builder minIdle(int value) {
      minIdle = OptionalInt.of(value);
      return this;
    }

    /**
     * The most stubs alive at once, idle, leased or in preparation. The source stub does not count.
     *
     * @param value 1 to 1,000,000; 1,024 by default, or minIdle if that is set and more
     * @return this
     */
    public Builder maxStubs(int value) {
      maxStubs = OptionalInt.of(value);
      return this;
    }

    /**
     * How long {@link StubPool#acquire()} waits for a stub before it throws {@link
     * AcquireTimeoutException}.
     *
     * @param value 0 or more; 30 s by default
     * @return this
     */
    public Builder acquireTimeout(Duration value) {
      acquireTimeout = value;
      return this;
    }

    /**
     * The most threads that may wait for a stub at once. One more gets {@link
     * TooManyWaitersException}.
     *
     * @param value at least 1; 10,000 by default
     * @return this
     */
    public Builder maxWaiters(int value) {
      maxWaiters = value;
      return this;
    }

    /**
     * For how long the pool keeps as many stubs above minIdle as were acquired at once; it may be
     * up to twice as long. Idle stubs beyond that number, such as copies that were given back, are
     * discarded within a sixtieth of it, or a second if that is longer; and at once when the kernel
     * refuses a process or a thread.
     *
     * @param value positive, at most 365 days; a minute by default
     * @return this
     */
    public Builder idleTimeout(Duration value) {
      idleTimeout = value;
      return this;
    }

    /**
     * What the death of a stub does to others.
     *
     * @param value {@link OnStubDeath#REPLACE} by default
     * @return this
     */
    public Builder onStubDeath(OnStubDeath value) {
      onStubDeath = value;
      return this;
    }

    /**
     * What becomes of a stub when its lease is closed.
     *
     * @param value {@link OnRelease#RECYCLE} by default; {@link OnRelease#DISCARD} is refused
     *     together with {@link OnStubDeath#KILL_JVM}
     * @return this
     */
    public Builder onRelease(OnRelease value) {
      onRelease = value;
      return this;
    }

    /**
     * Takes system calls away from the stubs: a stub can make a call if the library's own table
     * allows it and this policy does, too. A call that the policy takes away throws {@link
     * DeniedSystemCallException}, and that includes the calls behind {@link StubMemory}. System
     * calls of guest code are not affected: they are traps, and never reach the kernel.
     *
     * <p>The default action of the policy must be ALLOW, all other actions TRAP, and it must have
     * x86-64 among its architectures. For example, no stub of this pool can make memory executable
     * by mprotect:
     *
     * <pre>{@code
     * SeccompPolicy.builder(Architecture.X86_64)
     *     .defaultAction(SeccompAction.ALLOW)
     *     .badArchitectureAction(SeccompAction.TRAP)
     *     .rule("mprotect", SeccompAction.TRAP, Condition.argument(2).maskedEqualTo(4, 4))
     *     .build()
     * }</pre>
     *
     * <p>The library itself makes some calls in its stubs: clone, futex, prctl, getppid, exit,
     * restart_syscall, munmap of all memory around the image, and mmap of a signal frame inside the
     * reserved range. {@link StubPool#open} throws {@link IllegalArgumentException} if the policy
     * takes one of them away.
     *
     * @param value the policy; one without rules by default
     * @return this
     */
    public Builder policy(SeccompPolicy value) {
      policy = value;
      return this;
    }

    /**
     * On which CPUs tracers and stubs run.
     *
     * @param value {@link Affinity#ONE_CPU} by default
     * @return this
     */
    public Builder affinity(Affinity value) {
      affinity = value;
      return this;
    }

    /**
     * Whether each lease records where it was acquired. The warning about a lease that was never
     * closed then shows that place.
     *
     * @param value false by default; true costs a few microseconds a lease
     * @return this
     */
    public Builder leakTraces(boolean value) {
      leakTraces = value;
      return this;
    }

    /**
     * Whether other processes of this user may see the states of the stubs, as {@code stubpool ps}
     * does.
     *
     * @param value true by default
     * @return this
     */
    public Builder inspectable(boolean value) {
      inspectable = value;
      return this;
    }

    /**
     * {@return the options}
     *
     * @throws IllegalArgumentException if an option is out of its range; the message has its name,
     *     its value and the range
     * @throws NullPointerException if an option is null; the message is its name
     */
    public StubPoolOptions build() {
      return new StubPoolOptions(this);
    }
  }
}
