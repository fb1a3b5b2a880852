package dev.stubpool;

import java.util.Objects;

/**
 * A snapshot of a pool's counts, as returned by {@link StubPool#stats}. {@link #total}, {@link
 * #idle}, {@link #leased} and {@link #resetting} were all true at one moment of that call. Every
 * other count was true at some moment of the call.
 */
public final class StubPoolStats {
  private final int total;
  private final int idle;
  private final int resetting;
  private final int forging;
  private final int waiting;
  private final int unreaped;
  private final long created;
  private final long recycled;
  private final long discarded;
  private final long died;
  private final long lost;

  private StubPoolStats(Builder builder) {
    this.total = builder.total;
    this.idle = builder.idle;
    this.resetting = builder.resetting;
    this.forging = builder.forging;
    this.waiting = builder.waiting;
    this.unreaped = builder.unreaped;
    this.created = builder.created;
    this.recycled = builder.recycled;
    this.discarded = builder.discarded;
    this.died = builder.died;
    this.lost = builder.lost;
  }

  /**
   * {@return the number of stubs alive, without the source stub} A dead stub is counted until the
   * pool has detected its death. One that died after its lease is counted until the pool has taken
   * it from the queue of stubs to reset.
   */
  public int total() {
    return total;
  }

  /** {@return the number of stubs that can be leased} */
  public int idle() {
    return idle;
  }

  /** {@return the number of stubs that are leased} */
  public int leased() {
    return total - idle - resetting;
  }

  /** {@return the number of stubs that are being reset or discarded, or wait for it} */
  public int resetting() {
    return resetting;
  }

  /** {@return the number of stubs being made} */
  public int forging() {
    return forging;
  }

  /** {@return the number of threads that wait for a stub} */
  public int waiting() {
    return waiting;
  }

  /**
   * {@return the number of processes that were killed and could not be reaped yet, since the kernel
   * has not ended them, or a call under way uses their pid} They are not part of {@link #total},
   * and are reaped as soon as possible.
   */
  public int unreaped() {
    return unreaped;
  }

  /** {@return the number of stubs made since the pool was opened} */
  public long created() {
    return created;
  }

  /** {@return the number of times that a used stub was reset} */
  public long recycled() {
    return recycled;
  }

  /**
   * {@return the number of stubs that the pool killed: on release, because they could not be reset,
   * or because too many were idle}
   */
  public long discarded() {
    return discarded;
  }

  /**
   * {@return the number of other stubs that died: killed by another process, by their holder, or by
   * the watchdog}
   */
  public long died() {
    return died;
  }

  /** {@return the number of leases that the pool ended because their handles were garbage} */
  public long lost() {
    return lost;
  }

  /** {@return the counts total, idle, leased, forging and waiting, for error messages} */
  public String summary() {
    return "total=%d idle=%d leased=%d forging=%d waiting=%d"
        .formatted(total, idle, leased(), forging, waiting);
  }

  @Override
  public String toString() {
    return "StubPoolStats[%s resetting=%d unreaped=%d created=%d recycled=%d discarded=%d died=%d lost=%d]"
        .formatted(summary(), resetting, unreaped, created, recycled, discarded, died, lost);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StubPoolStats stats
        && total == stats.total
        && idle == stats.idle
        && resetting == stats.resetting
        && forging == stats.forging
        && waiting == stats.waiting
        && unreaped == stats.unreaped
        && created == stats.created
        && recycled == stats.recycled
        && discarded == stats.discarded
        && died == stats.died
        && lost == stats.lost;
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        total, idle, resetting, forging, waiting, unreaped, created, recycled, discarded, died,
        lost);
  }

  /** {@return a builder with all counts 0, for tests of code that uses the counts} */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder of counts. */
  public static final class Builder {
    private int total;
    private int idle;
    private int resetting;
    private int forging;
    private int waiting;
    private int unreaped;
    private long created;
    private long recycled;
    private long discarded;
    private long died;
    private long lost;

    private Builder() {}

    /**
     * Stubs alive.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder total(int value) {
      total = value;
      return this;
    }

    /**
     * Stubs that can be leased.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder idle(int value) {
      idle = value;
      return this;
    }

    /**
     * Stubs that are being reset or discarded, or wait for it.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder resetting(int value) {
      resetting = value;
      return this;
    }

    /**
     * Stubs being made.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder forging(int value) {
      forging = value;
      return this;
    }

    /**
     * Threads that wait for a stub.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder waiting(int value) {
      waiting = value;
      return this;
    }

    /**
     * Processes killed and not reaped.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder unreaped(int value) {
      unreaped = value;
      return this;
    }

    /**
     * Stubs made since the pool was opened.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder created(long value) {
      created = value;
      return this;
    }

    /**
     * How many times a used stub was reset.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder recycled(long value) {
      recycled = value;
      return this;
    }

    /**
     * Stubs killed by the pool.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder discarded(long value) {
      discarded = value;
      return this;
    }

    /**
     * Other stubs that died.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder died(long value) {
      died = value;
      return this;
    }

    /**
     * Leases that ended because their handles were garbage.
     *
     * @param value the count, 0 or more
     * @return this
     */
    public Builder lost(long value) {
      lost = value;
      return this;
    }

    /** {@return the counts} */
    public StubPoolStats build() {
      return new StubPoolStats(this);
    }
  }
}
