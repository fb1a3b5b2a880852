/* Constants of kernel headers that cannot stand beside libc's, of all architectures. See constants.h. */
#include <stddef.h>

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "abi.h"
#include "constants.h"

void constants_kernel(void) {
    INT(SIGINFO_SIZE, sizeof(siginfo_t));
    INT(SIGINFO_signo, offsetof(siginfo_t, si_signo));
    INT(SIGINFO_code, offsetof(siginfo_t, si_code));
    INT(SIGINFO_pid, offsetof(siginfo_t, si_pid));
    INT(SIGINFO_status, offsetof(siginfo_t, si_status));
    INT(SIGINFO_addr, offsetof(siginfo_t, si_addr));
    INT(SIGINFO_call_addr, offsetof(siginfo_t, si_call_addr));
    INT(SIGINFO_syscall, offsetof(siginfo_t, si_syscall));
    INT(FRAME_registers, offsetof(struct ucontext, uc_mcontext));
    INT(KERNEL_SIGACTION_SIZE, sizeof(struct sigaction));
    INT(KERNEL_SIGACTION_handler, offsetof(struct sigaction, sa_handler));
    INT(KERNEL_SIGACTION_flags, offsetof(struct sigaction, sa_flags));
    INT(KERNEL_SIGSET_SIZE, sizeof(sigset_t));
    LONG(STUB_SIGNAL_MASK, ~STUB_UNBLOCKED_SIGNALS);
    SAME(SYS_SECCOMP);
    SAME(SI_KERNEL);
    SAME(SEGV_MAPERR);
    SAME(SEGV_ACCERR);
    SAME(TRAP_TRACE);
    SAME(TRAP_HWBKPT);
    SAME(CLD_EXITED);
    SAME(CLD_KILLED);
    SAME(CLD_DUMPED);
    SAME(CLD_TRAPPED);
    SAME(CLD_STOPPED);
}
