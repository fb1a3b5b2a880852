/*
 * The text of a stub: the only instructions from which the filter lets a system call through.
 *
 * A tracer enters at one of these labels with all arguments in registers; nothing here has a stack, reads memory or
 * writes it. Every call is followed by a path to int3, so that whoever gets here without being asked to is stopped.
 * rax, rcx and r11 are lost in every call (syscall(2)); all other registers survive it.
 */
#include <asm/unistd_64.h>

#include "abi_constants.h" /* made by build.sh from constants.h's users */

    .section .stub, "ax", @progbits

    .macro global name
    .globl \name
    .type \name, @function
\name:
    .endm

/*
 * One system call: number in rax, arguments where syscall(2) wants them.
 *
 * SAFETY: whatever the filter allows can be called from here with any arguments, by the stub's own code too, if that ever
 * ran with real system calls. What may not happen to the image or the JVM is for the filter to deny.
 */
global stub_call
    syscall
global stub_call_returned
    int3
global stub_call_done

/*
 * The first system call of a child stub, in the same stop: SIGKILL when the JVM dies, unless it is dead already.
 * rbx: number; r12, r13: first two arguments; rdx, r10, r8, r9: the others; r14d: the JVM's pid.
 * prctl(2) reads five arguments, but PR_SET_PDEATHSIG only the second; getppid(2) reads none.
 *
 * SAFETY: exits, thread by thread, if the parent is not r14d; a stub whose JVM is alive must be given that JVM's pid.
 */
    .balign 16, 0xcc
global stub_first_call
    mov $__NR_prctl, %eax
    mov $ABI_PR_SET_PDEATHSIG, %edi
    mov $ABI_SIGKILL, %esi
    syscall
    test %rax, %rax
    jnz .Lnot_armed
    mov $__NR_getppid, %eax
    syscall
    cmp %r14d, %eax
    jne .Lorphan
    mov %rbx, %rax
    mov %r12, %rdi
    mov %r13, %rsi
    syscall
global stub_first_call_returned
    int3
global stub_first_call_done
.Lnot_armed:
    int3
global stub_first_call_not_armed
.Lorphan:
    mov $__NR_exit, %eax
    mov $1, %edi
    syscall
    int3

/*
 * Child stubs, run by a source. rbx: clone flags; r12: where the first pid goes; r13d: how many, from 1 to the number of
 * pids that a page holds. The kernel writes each pid itself (CLONE_PARENT_SETTID). Stops at the first failure, its -errno
 * in rax; -EINVAL for another count. A child is stopped by CLONE_PTRACE before its first instruction, and gets registers of
 * its own before it runs; rax is 0 in it, so left alone it would fall into the int3.
 *
 * SAFETY: this is the only loop around a call that makes anything. The count is checked before every call, not once, so that
 * whoever jumps into the middle of the loop makes one child more at most. The filter allows no flags but those of traced
 * children, and the kernel drops a pid that it cannot write to r12.
 */
    .balign 16, 0xcc
global stub_clone_many
.Lclone:
    lea -1(%r13), %ecx
    mov $-ABI_EINVAL, %rax
    cmp $(ABI_IMAGE_PAGE / 4 - 1), %ecx
    ja .Lcloned
    mov $__NR_clone, %eax
    mov %rbx, %rdi
    xor %esi, %esi
    mov %r12, %rdx
    xor %r10d, %r10d
    xor %r8d, %r8d
    syscall
    test %rax, %rax
    jle .Lcloned
    add $4, %r12
    dec %r13d
    jnz .Lclone
.Lcloned:
    int3
global stub_clone_many_done

/*
 * Everything but the image unmapped. rdi, rsi: address and length below it; r12, r13: above it. rax: 0 or -errno.
 * Whoever set all other registers to 0 finds them all 0, so a stub that is not run has nothing left to hide.
 *
 * SAFETY: the ranges are the caller's to choose, but the filter denies those that touch the image or end beyond the last
 * address. No guest's thread may run meanwhile: its memory is gone.
 */
    .balign 16, 0xcc
global stub_unmap_around
    mov $__NR_munmap, %eax
    syscall
    test %rax, %rax
    jnz .Lunmapped
    mov $__NR_munmap, %eax
    mov %r12, %rdi
    mov %r13, %rsi
    syscall
.Lunmapped:
    xor %edi, %edi
    xor %esi, %esi
    xor %r12d, %r12d
    xor %r13d, %r13d
    xor %r11d, %r11d
    xor %ecx, %ecx
    int3
global stub_unmap_around_done
    jmp stub_park /* let go here, it waits */

/* A born source arrives here, filter in place; int3 stops it, which is a wait for its tracer. */
    .balign 16, 0xcc
global stub_ready
    int3
global stub_ready_done

/*
 * Handler and restorer of SEGV, BUS, ILL, FPE: a tracer reads the frame, and nobody ever returns from it.
 *
 * SAFETY: reached with a stack pointer in the frame that the kernel has built; nothing here reads or writes it.
 */
    .balign 16, 0xcc
global stub_fault_entry
    int3
global stub_fault_return
    int3

/*
 * Where a stub waits untraced: asleep on a word that nobody can change, in a call that signals only restart. Whoever entered at
 * the call to make another one sleeps here too, or is stopped.
 *
 * SAFETY: only for a thread whose process is traced, or armed to die with the JVM: nothing here ends the sleep.
 */
    .balign 16, 0xcc
global stub_park
    mov $__NR_futex, %eax
    lea stub_park_word(%rip), %rdi
    mov $ABI_FUTEX_WAIT_PRIVATE, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    syscall
    test %rax, %rax
    jz stub_park
    cmp $-ABI_EINTR, %rax
    je stub_park
    int3

    .balign 8, 0xcc
    .globl stub_park_word
stub_park_word:
    .long 0

    .balign ABI_IMAGE_STUB_SIZE, 0xcc

    .section .note.GNU-stack, "", @progbits
