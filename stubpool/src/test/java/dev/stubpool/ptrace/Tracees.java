package dev.stubpool.ptrace;

/**
 * Tracees without processes, for tests of what is decided about them. Their pids are beyond any
 * that a kernel gives (PID_MAX_LIMIT, 2^22): a signal to one reaches nobody.
 */
public final class Tracees {
  private static final int FIRST_PID = 0x3fff_0000;

  private Tracees() {}

  /** One that is as new. */
  public static Tracee of(int number) {
    return new Tracee(FIRST_PID + number);
  }

  /** Makes it other than at birth, as a run does. */
  public static void use(Tracee tracee) {
    tracee.use();
  }

  /** Makes it like new again, as recycling does. */
  public static void reset(Tracee tracee) {
    tracee.reset();
  }

  /** It died, and is known to have. */
  public static void die(Tracee tracee, String how) {
    tracee.died(how);
  }
}
