package dev.stubpool.kernel.process;

import dev.stubpool.Guest;

/** The initial state of a task's guest: a program's entry, or a copy of another guest. */
@FunctionalInterface
public interface Start {
  /** Sets the registers of a guest that has not run yet. */
  void prepare(Guest guest);
}
