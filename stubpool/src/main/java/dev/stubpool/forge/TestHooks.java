package dev.stubpool.forge;

import java.time.Duration;

/**
 * Mechanisms that tests switch off, and times that they shorten. Production code uses {@link
 * #NONE}.
 *
 * @param exitKill whether the kernel kills stubs when their tracer ends (PTRACE_O_EXITKILL)
 * @param armParentDeathSignal whether the kernel kills stubs when the JVM ends (PR_SET_PDEATHSIG)
 * @param patience how long a stub may take to stop, to clone or to die
 */
public record TestHooks(boolean exitKill, boolean armParentDeathSignal, Duration patience) {
  /** Both mechanisms, and 10 s. */
  public static final TestHooks NONE = new TestHooks(true, true, Duration.ofSeconds(10));
}
