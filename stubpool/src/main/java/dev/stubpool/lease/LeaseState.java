package dev.stubpool.lease;

import dev.stubpool.StubState;

/** The state of a slot of the lease table. The numbers are part of the table's format. */
enum LeaseState {
  /** The slot belongs to no stub. */
  FREE(0, StubState.DEAD),
  /** The slot's stub was cloned and has not been idle yet. */
  FORGING(1, StubState.FORGING),
  /** The slot's stub can be leased. */
  IDLE(2, StubState.IDLE),
  /** The slot's stub is leased. */
  LEASED(3, StubState.LEASED),
  /** The lease of the slot's stub has ended, and the stub is being reset. */
  RESETTING(4, StubState.RESETTING),
  /** The slot's stub is dead. */
  DEAD(5, StubState.DEAD);

  /** How many bits of a word hold a number. */
  static final int BITS = 3;

  private static final int MASK = (1 << BITS) - 1;

  /** Each state at the index of its number. */
  private static final LeaseState[] ALL = values();

  private final int number;
  private final StubState stubState;

  LeaseState(int number, StubState stubState) {
    this.number = number;
    this.stubState = stubState;
  }

  /** The state in the lowest bits of a word; {@link #DEAD} for numbers that are not in use. */
  static LeaseState of(long word) {
    int number = (int) word & MASK;
    return number < ALL.length ? ALL[number] : DEAD;
  }

  /** The number that stands for this state in a word. */
  int number() {
    return number;
  }

  /** The state of the API that this is. */
  StubState stubState() {
    return stubState;
  }
}
