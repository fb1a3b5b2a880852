/* The text of the stub image: position-independent routines that a tracer enters with every argument in a register.
   None uses a stack, reads memory or returns; each ends in int3, where the tracer waits.
   rcx and r11 are the system call's to clobber, so nothing lives there. */

#include <sys/syscall.h>

	.section .rodata.image, "a"
	.globl image_text, image_call, image_call_end, image_again, image_again_end, image_first, image_first_end
	.globl image_batch, image_batch_end, image_unmap, image_unmap_end, image_fault, image_fault_return
	.globl image_park, image_park_word, image_text_end

image_text:

/* Any one call. */
image_call:
	syscall
	int3
image_call_end:

/* clone, and clone again at every PTRACE_CONT that follows, without new registers. */
image_again:
	syscall
	int3
image_again_end:
	mov	$SYS_clone, %eax
	jmp	image_again

/* The first call of a new stub: arm PDEATHSIG, look whether the parent r15 is still there, then call r14 with rdi = r12, rsi = r13. */
image_first:
	mov	$SYS_prctl, %eax
	syscall
	test	%rax, %rax
	jnz	leave
	mov	$SYS_getppid, %eax
	syscall
	cmp	%r15, %rax
	jne	leave
	mov	%r12, %rdi
	mov	%r13, %rsi
	mov	%r14, %rax
	syscall
	int3
image_first_end:

/* clone r12 times, the address of the pid word moving on by one each time. A child that is resumed here stops as well. */
image_batch:
	mov	$SYS_clone, %eax
	syscall
	test	%rax, %rax
	jle	1f
	add	$4, %rdx
	dec	%r12
	jnz	image_batch
1:	int3
image_batch_end:

/* Unmap [rdi, rdi + rsi) and [r12, r12 + r13). A stub that cannot is of no use: it ends, and the tracer's wait shows it. */
image_unmap:
	mov	$SYS_munmap, %eax
	syscall
	test	%rax, %rax
	jnz	leave
	mov	%r12, %rdi
	mov	%r13, %rsi
	mov	$SYS_munmap, %eax
	syscall
	test	%rax, %rax
	jnz	leave
	xor	%edi, %edi
	xor	%esi, %esi
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r11d, %r11d
	xor	%ecx, %ecx
	int3
image_unmap_end:

leave:
	mov	$1, %edi
	mov	$SYS_exit, %eax
	syscall
	int3

/* Handler and restorer of faults: a tracer reads the frame, and nobody returns from it. */
image_fault:
	int3
image_fault_return:
	int3

/* Where the source, or a thread that is handed over, waits for its tracer: a futex that nothing wakes. The caller has set every register
   but rax. */
image_park:
	mov	$SYS_futex, %eax
	syscall
	jmp	image_park

	.balign	4
image_park_word:
	.long	0
image_text_end:

	.section .note.GNU-stack, "", @progbits
