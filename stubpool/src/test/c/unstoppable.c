/*
 * A process that does not stop for a tracer: it sleeps in vfork(2) until its child ends, and only SIGKILL ends that sleep
 * (wait_for_vfork_done in the kernel's fork.c). The child ends with it.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
    if (vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return 0;
}
