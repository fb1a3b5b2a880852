/**
 * Processes under ptrace: how one is born, run to a known place, watched and buried.
 *
 * <p>In a nutshell: a {@link dev.stubpool.trace.TracerThread} is a platform thread with a queue of
 * tasks. It makes a {@link dev.stubpool.trace.SourceStub} by forking the JVM once, and child stubs
 * by having the source clone itself ({@link dev.stubpool.trace.Forge}). All that is done to a
 * stopped process goes through the thread's {@link dev.stubpool.trace.Tracer}; a wait that takes
 * too long is ended by the {@link dev.stubpool.trace.Watchdog}.
 *
 * <p>Who may use a pid: the tracer always; another thread only under {@link
 * dev.stubpool.trace.Tracee#hold}. There are no locks here but the watchdog's start.
 */
package dev.stubpool.trace;
