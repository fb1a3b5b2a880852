/* The part of the host text that no C compiler makes. See host.c. */
#include <asm/unistd_64.h>

    .text

/*
 * Returns from a handler (SA_RESTORER, sigaction(2)).
 *
 * SAFETY: only as the return address of a signal frame: rt_sigreturn(2) loads all registers from where the stack pointer is.
 */
    .globl host_signal_return
    .type host_signal_return, @function
host_signal_return:
    mov $__NR_rt_sigreturn, %eax
    syscall

    .section .note.GNU-stack, "", @progbits
