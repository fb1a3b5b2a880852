package dev.stubpool.trace;

import java.time.Duration;

/**
 * What tests switch off or shorten; everybody else takes {@link #NONE}.
 *
 * @param exitKill whether stubs are killed by the kernel when their tracer ends (PTRACE_O_EXITKILL)
 * @param armParentDeathSignal whether stubs ask to be killed when the JVM ends (PR_SET_PDEATHSIG)
 * @param patience how long a stub may take to stop, clone or die
 */
public record Seams(boolean exitKill, boolean armParentDeathSignal, Duration patience) {
  /** As in production: both mechanisms, 10 s. */
  public static final Seams NONE = new Seams(true, true, Duration.ofSeconds(10));
}
