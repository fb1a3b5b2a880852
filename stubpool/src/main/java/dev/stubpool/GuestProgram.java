package dev.stubpool;

/**
 * What is done with a guest: {@link Stub#run}.
 *
 * @param <T> what comes out
 * @param <X> what may be thrown besides unchecked exceptions
 */
@FunctionalInterface
public interface GuestProgram<T, X extends Exception> {
  /** Does it, on the guest's tracer thread; the guest is of no use afterwards. */
  T run(Guest guest) throws X;
}
