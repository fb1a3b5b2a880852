/* A slot: what a guest and the other process share. Read by the assembler, too. */

#ifndef SHARED_H
#define SHARED_H

#define SLOT_SIZE 0x10000
#define SLOT_ADDRESS 0x500000000000
#define SLOT_STACK 0x8000 /* the alternate signal stack, up to the slot's end */

/* Whose turn it is: 0, or the guest's. The one who waits may say that it sleeps. */
#define SLOT_TURN 0
#define TURN_GUEST 1
#define TURN_SLEEPS 0x80000000

/* How the guest waits. */
#define SLOT_SPINS 64
#define SLOT_YIELDS 68

/* What the guest tells: its signal and frame, or 0 and the number and arguments of a patched call. */
#define SLOT_SIGNAL 128
#define SLOT_NUMBER 136
#define SLOT_FRAME 144
#define SLOT_ARGUMENTS 152 /* six; of the operation in an answer, too */

/* The answer: the frame as changed; a call to make before going on, or -1; the result of that, or of a patched call. */
#define SLOT_OPERATION 200
#define SLOT_RESULT 208

#define SLOT_IRET 256 /* rip, cs, flags, rsp, ss */
#define SLOT_KEPT 320 /* of a patched call: rsp, rcx, rbx, r12 */
#define SLOT_PATCH_STACK 512

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

/* In struct ucontext and struct _fpstate (asm/ucontext.h, asm/sigcontext.h); shared.c asserts them. */
#define FRAME_R8 40
#define FRAME_RAX 144
#define FRAME_RSP 160
#define FRAME_RIP 168
#define FRAME_FLAGS 176
#define FRAME_CS 184
#define FRAME_SS 190
#define FRAME_FPSTATE 224
#define FPSTATE_FEATURES 472

#endif
