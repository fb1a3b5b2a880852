/* What guests run: a page that is written into a stub, no part of its image. Position-independent, without a stack. */

	.section .rodata.guest, "a"
	.globl code_text, code_call, code_read, code_write, code_spin, code_text_end

code_text:

/* Each call's result is the number of the next. */
code_call:
	syscall
	jmp	code_call

/* These fault for as long as nothing is mapped where rdi points. */
code_read:
	mov	(%rdi), %rax
	jmp	code_read

code_write:
	mov	%rax, (%rdi)
	jmp	code_write

code_spin:
	jmp	code_spin
code_text_end:

	.section .note.GNU-stack, "", @progbits
