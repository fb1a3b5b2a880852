/* Constants of x86-64 in kernel headers that cannot stand beside libc's. See constants.h. */
#include <stddef.h>

#include <asm/sigcontext.h>
#include <asm/signal.h>

#include "constants.h"

void constants_kernel(void) {
    INT(SIGCONTEXT_err, offsetof(struct sigcontext, err));
    INT(SIGCONTEXT_trapno, offsetof(struct sigcontext, trapno));
    INT(SIGCONTEXT_cr2, offsetof(struct sigcontext, cr2));
    INT(SIGCONTEXT_SIZE, sizeof(struct sigcontext));
    INT(KERNEL_SIGACTION_restorer, offsetof(struct sigaction, sa_restorer));
    SAME(SA_RESTORER);
}
