package dev.stubpool;

/**
 * A pool's counts. The first four are true at one and the same moment of the call, and {@code
 * total} is the sum of the other three; each of the rest is true at some moment of it.
 *
 * @param total living stubs, less the source; one that died counts until the pool has noticed it,
 *     and one that died on its way back until the pool has come to it
 * @param idle stubs that wait to be leased
 * @param leased stubs that belong to a holder
 * @param resetting stubs on their way back, or about to be discarded
 * @param forging stubs being made
 * @param waiting threads that wait for a stub
 * @param created stubs made since open
 * @param recycled leases ended by making the stub like new; those that left it so are not counted
 * @param discarded stubs that the pool killed: on release, as not recyclable, or as too many idle
 * @param died stubs that died otherwise: killed from outside, by their holder, or by the watchdog
 * @param lost leases taken back because their handles were garbage
 * @param filterInstructions length of the stubs' seccomp filter
 * @param sourcePid the pid of the source stub, 0 when there is none
 * @param unreaped processes that count as died or discarded, and whose pids are still taken: the
 *     kernel does not let them die, or somebody copies their memory; the pool looks for their ends
 */
public record StubPoolStats(
    int total,
    int idle,
    int leased,
    int resetting,
    int forging,
    int waiting,
    long created,
    long recycled,
    long discarded,
    long died,
    long lost,
    int filterInstructions,
    int sourcePid,
    int unreaped) {

  /** For messages: what the pool is short of. */
  String summary() {
    return "total=%d idle=%d leased=%d forging=%d waiting=%d"
        .formatted(total, idle, leased, forging, waiting);
  }
}
