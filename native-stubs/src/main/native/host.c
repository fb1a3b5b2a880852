/*
 * The host text: what threads of the JVM run to make system calls. Java calls these through the foreign function interface;
 * none keeps state, allocates, or touches errno. x86_64/ has the architecture's part.
 */
#include <asm/unistd.h>
#include <linux/wait.h>

#include "abi_constants.h" /* made by build.sh from constants.h's users */
#include "raw.h"

#define SIGINFO_PID_INDEX (ABI_SIGINFO_pid / (int)sizeof(int))
_Static_assert(ABI_SIGINFO_pid % sizeof(int) == 0, "host_poll_stop");

/*
 * Any system call. The result, or -errno.
 *
 * SAFETY: as unsafe as the call: addresses must be what the call expects, for as long as it uses them, and a call may end the
 * thread or the process, or unmap what the JVM runs on. Callers keep what they pass alive until it returns.
 */
long host_syscall(long number, long a, long b, long c, long d, long e, long f) {
    return raw6(number, a, b, c, d, e, f);
}

/*
 * Looks up to `tries` times whether the traced process whose pid is in *pid has stopped, giving the CPU away in between; a
 * pid of 0 is one that has not been written yet. 1: it has, info tells how, and the stop is consumed; 0: nothing yet;
 * -ECHILD: it is dead, and keeps its pid until it is reaped on purpose (waitid(2) without WEXITED); else -errno.
 *
 * SAFETY: pid points to an aligned int, info to a writable siginfo_t.
 */
long host_poll_stop(const volatile int *pid, int *info, int tries) {
    for (int i = 0; i < tries; i++) {
        int target = *pid;
        if (target != 0) {
            info[SIGINFO_PID_INDEX] = 0; /* waitid leaves 0 there when WNOHANG found nothing, but not on every kernel */
            long result = raw5(__NR_waitid, P_PID, target, (long)info, WSTOPPED | WNOHANG | __WALL, 0);
            if (result < 0)
                return result;
            if (info[SIGINFO_PID_INDEX] != 0)
                return 1;
        }
        raw3(__NR_sched_yield, 0, 0, 0);
    }
    return 0;
}

/*
 * Handler of the signal that calls a tracer out of a blocking wait: EINTR is all it is for.
 *
 * SAFETY: runs on any thread that has not blocked the signal, at any instruction, so it touches nothing.
 */
void host_wake_handler(int signal) { (void)signal; }
