package dev.stubpool;

import org.jspecify.annotations.Nullable;

/**
 * Code of the application that controls a guest, to be passed to {@link Stub#run}.
 *
 * @param <T> the type of the result
 * @param <X> the checked exceptions that the program throws
 */
@SuppressWarnings("exports") // @Nullable: users need not have JSpecify
@FunctionalInterface
public interface GuestProgram<T extends @Nullable Object, X extends Exception> {
  /**
   * Controls a guest until the program returns, which ends the guest. Called on the guest's tracer
   * thread.
   *
   * @param guest a guest that has not been resumed; for use only on this thread
   * @return the result of {@link Stub#run}
   * @throws X any failure of the program; {@link Stub#run} throws it
   */
  T run(Guest guest) throws X;
}
