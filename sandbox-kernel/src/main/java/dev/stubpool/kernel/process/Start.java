package dev.stubpool.kernel.process;

import dev.stubpool.Guest;

/** How a task's guest begins: at a program's entry, or as another one was. */
@FunctionalInterface
public interface Start {
  /** Sets the registers of a guest that has not run yet. */
  void prepare(Guest guest);
}
