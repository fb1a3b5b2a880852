package dev.stubpool;

/**
 * A pool's counts, each exact at some moment of the call, though not all at the same.
 *
 * @param total living stubs, less the source
 * @param idle stubs that wait to be leased
 * @param leased stubs that belong to a holder
 * @param resetting stubs on their way back
 * @param forging stubs being made
 * @param waiting threads that wait for a stub
 * @param created stubs made since open
 * @param died stubs that died of their own or were killed from outside
 * @param filterInstructions length of the stubs' seccomp filter
 * @param sourcePid the pid of the source stub, 0 when there is none
 */
public record StubPoolStats(
    int total,
    int idle,
    int leased,
    int resetting,
    int forging,
    int waiting,
    long created,
    long died,
    int filterInstructions,
    int sourcePid) {}
