/* Constants of x86-64 that libc's headers know. See constants.h. */
#include <elf.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/user.h>

#include "constants.h"

#define REGISTER(name) INT(REGS_##name, offsetof(struct user_regs_struct, name))

void constants_libc(void) {
    INT(REGS_SIZE, sizeof(struct user_regs_struct));
    REGISTER(r15);
    REGISTER(r14);
    REGISTER(r13);
    REGISTER(r12);
    REGISTER(rbp);
    REGISTER(rbx);
    REGISTER(r11);
    REGISTER(r10);
    REGISTER(r9);
    REGISTER(r8);
    REGISTER(rax);
    REGISTER(rcx);
    REGISTER(rdx);
    REGISTER(rsi);
    REGISTER(rdi);
    REGISTER(orig_rax);
    REGISTER(rip);
    REGISTER(cs);
    REGISTER(eflags);
    REGISTER(rsp);
    REGISTER(ss);
    REGISTER(fs_base);
    REGISTER(gs_base);
    REGISTER(ds);
    REGISTER(es);
    REGISTER(fs);
    REGISTER(gs);
    INT(USER_DEBUGREG, offsetof(struct user, u_debugreg));
    /* What NT_PRSTATUS writes first: all but bases and data selectors. */
    INT(GENERAL_REGS_SIZE, offsetof(struct user_regs_struct, fs_base));

    INT(AUDIT_ARCH_X86_64, (int)AUDIT_ARCH_X86_64);
    INT(AUDIT_ARCH_I386, (int)AUDIT_ARCH_I386);
    SAME(NT_X86_XSTATE);
    SAME(PTRACE_GETREGS);
    SAME(PTRACE_SETREGS);
    SAME(PTRACE_SYSEMU);
    SAME(PTRACE_SYSEMU_SINGLESTEP);
}
