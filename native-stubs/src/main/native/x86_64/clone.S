/* The clone of a source stub, where parent and child go different ways. See clone_source.c. */
#include <asm/unistd_64.h>

    .text

/*
 * clone(2) onto another stack: in the parent the pid or -errno, in the child birth(boot), which never returns.
 * rdi: flags; rsi: top of the child's stack, 16-byte aligned; rdx: boot.
 *
 * SAFETY: without CLONE_VM, for two threads would run on memory of the JVM. The stack must be in memory that the child has,
 * and big enough for birth.
 */
    .globl clone_to_birth
    .hidden clone_to_birth
    .type clone_to_birth, @function
clone_to_birth:
    mov %rdx, %r9 /* kept across the call; clone reads five arguments */
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $__NR_clone, %eax
    syscall
    test %rax, %rax
    jz 1f
    ret
1:  xor %ebp, %ebp
    mov %r9, %rdi
    call birth
    ud2

    .section .note.GNU-stack, "", @progbits
