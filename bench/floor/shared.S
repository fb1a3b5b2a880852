/* What a guest does over shared memory: a signal handler that hands the guest's state to the other process and waits for the answer, and
   the routine that a patched call site jumps to. Calls of the kernel are made between shared_text and shared_text_end alone; the filter
   traps all others. The slot is found from the stack pointer, for the alternate stack is its upper half. */

#include <sys/syscall.h>

#include "shared.h"

	.text
	.globl shared_text, shared_text_end, shared_handler, shared_patched
	.globl guest_call, guest_call_patched, guest_read

shared_text:

/* The slot's turn goes to the other process, which is woken if it sleeps. rbx: the slot. Clobbers rax, rcx, rdx, rsi, rdi, r11. */
	.macro pass
	xor	%eax, %eax
	xchg	%eax, SLOT_TURN(%rbx)
	test	%eax, %eax
	jns	1f
	lea	SLOT_TURN(%rbx), %rdi
	mov	$FUTEX_WAKE, %esi
	mov	$1, %edx
	mov	$SYS_futex, %eax
	syscall
1:
	.endm

/* Waits for the turn: spins, yields, then sleeps. Clobbers rax, rcx, rdx, rsi, rdi, r10, r11, r12. */
	.macro await
	mov	SLOT_SPINS(%rbx), %ecx
2:	testl	$TURN_GUEST, SLOT_TURN(%rbx)
	jnz	5f
	pause
	dec	%ecx
	jg	2b
	mov	SLOT_YIELDS(%rbx), %r12d
3:	dec	%r12d
	js	4f
	mov	$SYS_sched_yield, %eax
	syscall
	testl	$TURN_GUEST, SLOT_TURN(%rbx)
	jz	3b
	jmp	5f
4:	mov	SLOT_TURN(%rbx), %eax
	test	$TURN_GUEST, %eax
	jnz	5f
	mov	%eax, %edx
	or	$TURN_SLEEPS, %edx
	lock cmpxchg %edx, SLOT_TURN(%rbx)
	jne	4b
	lea	SLOT_TURN(%rbx), %rdi
	mov	$FUTEX_WAIT, %esi
	xor	%r10d, %r10d
	mov	$SYS_futex, %eax
	syscall
	jmp	4b
5:
	.endm

/* edi: signal; rdx: struct ucontext. The answer is in the frame, which the other process has changed; an operation, if there is one, is
   done first. No rt_sigreturn: the mask is as it was (SA_NODEFER), and so is the alternate stack. */
shared_handler:
	mov	%rsp, %rbx
	and	$-SLOT_SIZE, %rbx
	mov	%rdx, %r13
	mov	%edi, SLOT_SIGNAL(%rbx)
	mov	%rdx, SLOT_FRAME(%rbx)
	pass
	await

	mov	SLOT_OPERATION(%rbx), %rax
	test	%rax, %rax
	js	6f
	mov	SLOT_ARGUMENTS+0(%rbx), %rdi
	mov	SLOT_ARGUMENTS+8(%rbx), %rsi
	mov	SLOT_ARGUMENTS+16(%rbx), %rdx
	mov	SLOT_ARGUMENTS+24(%rbx), %r10
	mov	SLOT_ARGUMENTS+32(%rbx), %r8
	mov	SLOT_ARGUMENTS+40(%rbx), %r9
	syscall
	mov	%rax, SLOT_RESULT(%rbx)
	movq	$-1, SLOT_OPERATION(%rbx)
6:
	mov	FRAME_FPSTATE(%r13), %rsi
	mov	FPSTATE_FEATURES(%rsi), %eax
	mov	FPSTATE_FEATURES+4(%rsi), %edx
	xrstor64 (%rsi)

	mov	FRAME_RIP(%r13), %rax
	mov	%rax, SLOT_IRET+0(%rbx)
	movzwl	FRAME_CS(%r13), %eax
	mov	%rax, SLOT_IRET+8(%rbx)
	mov	FRAME_FLAGS(%r13), %rax
	mov	%rax, SLOT_IRET+16(%rbx)
	mov	FRAME_RSP(%r13), %rax
	mov	%rax, SLOT_IRET+24(%rbx)
	movzwl	FRAME_SS(%r13), %eax
	mov	%rax, SLOT_IRET+32(%rbx)
	lea	SLOT_IRET(%rbx), %rsp

	mov	FRAME_R8+0(%r13), %r8
	mov	FRAME_R8+8(%r13), %r9
	mov	FRAME_R8+16(%r13), %r10
	mov	FRAME_R8+24(%r13), %r11
	mov	FRAME_R8+32(%r13), %r12
	mov	FRAME_R8+48(%r13), %r14
	mov	FRAME_R8+56(%r13), %r15
	mov	FRAME_R8+64(%r13), %rdi
	mov	FRAME_R8+72(%r13), %rsi
	mov	FRAME_R8+80(%r13), %rbp
	mov	FRAME_R8+88(%r13), %rbx
	mov	FRAME_R8+96(%r13), %rdx
	mov	FRAME_RAX(%r13), %rax
	mov	FRAME_RAX+8(%r13), %rcx
	mov	FRAME_R8+40(%r13), %r13
	iretq

/* From a patched call site: rcx is where to go on, which with r11 is all that a call of the kernel clobbers. One guest alone runs here,
   so the slot is a constant. */
shared_patched:
	movabs	$SLOT_ADDRESS, %r11
	mov	%rsp, SLOT_KEPT+0(%r11)
	lea	SLOT_PATCH_STACK(%r11), %rsp
	pushfq
	mov	%rcx, SLOT_KEPT+8(%r11)
	mov	%rbx, SLOT_KEPT+16(%r11)
	mov	%r11, %rbx
	mov	%rax, SLOT_NUMBER(%rbx)
	mov	%rdi, SLOT_ARGUMENTS+0(%rbx)
	mov	%rsi, SLOT_ARGUMENTS+8(%rbx)
	mov	%rdx, SLOT_ARGUMENTS+16(%rbx)
	mov	%r10, SLOT_ARGUMENTS+24(%rbx)
	mov	%r8, SLOT_ARGUMENTS+32(%rbx)
	mov	%r9, SLOT_ARGUMENTS+40(%rbx)
	mov	%r12, SLOT_KEPT+24(%rbx)
	movl	$0, SLOT_SIGNAL(%rbx)
	pass
	await
	mov	SLOT_RESULT(%rbx), %rax
	mov	SLOT_ARGUMENTS+0(%rbx), %rdi
	mov	SLOT_ARGUMENTS+8(%rbx), %rsi
	mov	SLOT_ARGUMENTS+16(%rbx), %rdx
	mov	SLOT_ARGUMENTS+24(%rbx), %r10
	mov	SLOT_KEPT+24(%rbx), %r12
	mov	%rbx, %r11
	mov	SLOT_KEPT+16(%r11), %rbx
	mov	SLOT_KEPT+8(%r11), %rcx
	popfq
	mov	SLOT_KEPT+0(%r11), %rsp
	mov	SLOT_PATCH_STACK-8(%r11), %r11
	jmp	*%rcx
shared_text_end:

/* What guests run. Each call's result is the number of the next. */
guest_call:
	syscall
	jmp	guest_call

guest_call_patched:
	lea	1f(%rip), %rcx
	jmp	shared_patched
1:	jmp	guest_call_patched

/* Faults for as long as nothing is mapped at rdi, then goes on to the next page. */
guest_read:
	mov	(%rdi), %rax
	add	$4096, %rdi
	jmp	guest_read

	.section .note.GNU-stack, "", @progbits
