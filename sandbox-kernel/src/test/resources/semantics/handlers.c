/* ---- What handlers see and change ---- */

static char altStack[131072] __attribute__((aligned(16)));
static char *volatile handlerStack;
static volatile stack_t seen;
static volatile int changeError;

static void onStack(int signal, siginfo_t *info, void *context) {
    stack_t none = {.ss_flags = SS_DISABLE}, found;
    handlerStack = __builtin_frame_address(0);
    sigaltstack(0, &found);
    seen = found;
    changeError = sigaltstack(&none, 0) ? errno : 0;
    calls++;
}

CHECK(altstack_carries_a_handler) {
    stack_t stack = {.ss_sp = altStack, .ss_size = sizeof altStack}, old;
    want(sigaltstack(&stack, &old) == 0 && (old.ss_flags & SS_DISABLE));
    action(SIGUSR1, onStack, SA_ONSTACK);
    raise(SIGUSR1);
    want(handlerStack > altStack && handlerStack < altStack + sizeof altStack);
    want(seen.ss_flags == SS_ONSTACK && seen.ss_sp == altStack && seen.ss_size == sizeof altStack);
    want(changeError == EPERM);
    want(sigaltstack(0, &old) == 0 && old.ss_flags == 0);
    action(SIGUSR1, onStack, 0);
    raise(SIGUSR1);
    want(calls == 2 && !(handlerStack > altStack && handlerStack < altStack + sizeof altStack));
    want(seen.ss_flags == 0 && changeError == 0);
}

CHECK(altstack_refuses) {
    stack_t small = {.ss_sp = altStack, .ss_size = 1000}, odd = {.ss_sp = altStack, .ss_flags = 77, .ss_size = 65536};
    fails(ENOMEM, syscall(SYS_sigaltstack, &small, 0));
    fails(EINVAL, syscall(SYS_sigaltstack, &odd, 0));
    fails(EFAULT, syscall(SYS_sigaltstack, 8, 0));
}

static __attribute__((noinline)) int deep(int level) {
    volatile char frame[1000];
    frame[0] = level;
    return deep(level + 1) + frame[0];
}

CHECK(stack_overflow_is_caught_on_the_altstack) {
    stack_t stack = {.ss_sp = altStack, .ss_size = sizeof altStack};
    want(sigaltstack(&stack, 0) == 0);
    action(SIGSEGV, jump, SA_ONSTACK);
    for (volatile int i = 0; i < 2; i++)
        if (!sigsetjmp(back, 1)) deep(0);
    char here;
    want((char *)last.si_addr < &here);
}

static void skip(int signal, siginfo_t *info, void *context) {
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
    last = *info;
    calls++;
}

CHECK(handler_moves_the_instruction_pointer) {
    action(SIGILL, skip, 0);
    asm volatile("ud2");
    asm volatile("ud2");
    want(calls == 2 && last.si_code == ILL_ILLOPN);
}

static void changeRegisters(int signal, siginfo_t *info, void *context) {
    gregset_t *registers = &((ucontext_t *)context)->uc_mcontext.gregs;
    (*registers)[REG_RAX] = 77;
    (*registers)[REG_RBX] = 0x123456789abcdef0;
    (*registers)[REG_R15] += 1;
}

/* kill(getpid(), SIGUSR1) with known registers. */
CHECK(handler_changes_registers) {
    action(SIGUSR1, changeRegisters, 0);
    long result = SYS_kill, rbx = 1;
    register long r15 asm("r15") = 41;
    asm volatile("syscall"
                 : "+a"(result), "+b"(rbx), "+r"(r15)
                 : "D"((long)getpid()), "S"((long)SIGUSR1)
                 : "rcx", "r11", "memory");
    want(result == 77 && rbx == 0x123456789abcdef0);
    want(r15 == 42);
}

static void changeMask(int signal, siginfo_t *info, void *context) {
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

CHECK(handler_changes_the_mask) {
    action(SIGUSR1, changeMask, 0);
    raise(SIGUSR1);
    want(blocked(SIGUSR2) && !blocked(SIGUSR1));
}

static void changeVectors(int signal, siginfo_t *info, void *context) {
    ((ucontext_t *)context)->uc_mcontext.fpregs->_xmm[3].element[1] = 0xabcd;
}

CHECK(handler_changes_vectors) {
    action(SIGUSR1, changeVectors, 0);
    unsigned in[4] = {1, 2, 3, 4}, out[4];
    long result = SYS_kill;
    asm volatile("movups (%2), %%xmm3; syscall; movups %%xmm3, (%3)"
                 : "+a"(result)
                 : "D"((long)getpid()), "r"(in), "r"(out), "S"((long)SIGUSR1)
                 : "rcx", "r11", "xmm3", "memory");
    want(result == 0 && out[0] == 1 && out[1] == 0xabcd && out[2] == 3 && out[3] == 4);
}

/* Load sixteen vectors, send a signal, store them: (pid, signal, from, to). */
asm(".pushsection .text\n"
    ".macro vectors name, move, register, size\n"
    ".globl \\name\n"
    "\\name:\n"
    "  mov %rcx, %r8\n"
    "  .set at, 0\n"
    "  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "    \\move at(%rdx), %\\register\\n\n"
    "    .set at, at + \\size\n"
    "  .endr\n"
    "  mov $62, %eax\n"
    "  syscall\n"
    "  .set at, 0\n"
    "  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
    "    \\move %\\register\\n, at(%r8)\n"
    "    .set at, at + \\size\n"
    "  .endr\n"
    "  ret\n"
    ".endm\n"
    "vectors vectors16 movups xmm 16\n"
    "vectors vectors32 vmovups ymm 32\n"
    ".popsection\n");
long vectors16(long pid, long signal, const void *from, void *to);
long vectors32(long pid, long signal, const void *from, void *to);

static volatile int wide;

static void clobber(int signal) {
    char zeros[512] = {0}, out[512];
    if (wide) vectors32(getpid(), 0, zeros, out);
    else vectors16(getpid(), 0, zeros, out);
    calls++;
}

CHECK(vectors_survive_a_handler) {
    unsigned char in[512], out[512] = {0};
    for (size_t i = 0; i < sizeof in; i++) in[i] = i * 37 + i / 256 + 1;
    signal(SIGUSR1, clobber);
    vectors16(getpid(), SIGUSR1, in, out);
    want(calls == 1 && !memcmp(in, out, 256));
    wide = __builtin_cpu_supports("avx");
    if (!wide) return;
    vectors32(getpid(), SIGUSR1, in, out);
    want(calls == 2 && !memcmp(in, out, 512));
}

static volatile unsigned handlerMxcsr;
static volatile unsigned short handlerControl;
static volatile unsigned long handlerFlags;

static void floatState(int signal) {
    unsigned mxcsr, other = 0x9f80;
    unsigned short control;
    asm volatile("stmxcsr %0; fnstcw %1; ldmxcsr %2; fninit" : "=m"(mxcsr), "=m"(control) : "m"(other));
    handlerMxcsr = mxcsr;
    handlerControl = control;
}

CHECK(float_control_survives_a_handler) {
    unsigned mxcsr = 0x7f80;
    unsigned short control = 0x0f7f;
    signal(SIGUSR1, floatState);
    asm volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(control));
    kill(getpid(), SIGUSR1);
    asm volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(control));
    want(handlerMxcsr == 0x1f80 && handlerControl == 0x037f);
    want(mxcsr == 0x7f80 && control == 0x0f7f);
}

static void flagsState(int signal) {
    unsigned long flags;
    asm volatile("pushf; pop %0" : "=r"(flags));
    handlerFlags = flags;
}

CHECK(flags_survive_a_handler) {
    signal(SIGUSR1, flagsState);
    long result = SYS_kill;
    unsigned long flags;
    asm volatile("std; stc; syscall; pushf; pop %1; cld"
                 : "+a"(result), "=&r"(flags)
                 : "D"((long)getpid()), "S"((long)SIGUSR1)
                 : "rcx", "r11", "cc", "memory");
    want(!(handlerFlags & 0x400));
    want((flags & 0x401) == 0x401);
}

/* Fills the 128 bytes below the stack, sends a signal and counts what differs: (pid, signal). */
asm(".pushsection .text\n"
    ".globl redZone\n"
    "redZone:\n"
    "  lea -136(%rsp), %r8\n"
    "  mov $16, %ecx\n"
    "1: mov %rcx, (%r8,%rcx,8)\n"
    "  dec %ecx\n"
    "  jnz 1b\n"
    "  mov $62, %eax\n"
    "  syscall\n"
    "  mov $16, %ecx\n"
    "2: cmp %rcx, (%r8,%rcx,8)\n"
    "  je 3f\n"
    "  inc %eax\n"
    "3: dec %ecx\n"
    "  jnz 2b\n"
    "  ret\n"
    ".popsection\n");
long redZone(long pid, long signal);

CHECK(red_zone_survives_a_handler) {
    handle(SIGUSR1, 0);
    want(redZone(getpid(), SIGUSR1) == 0);
    want(calls == 1);
}

static void nested(int signal) {
    int before = calls;
    if (signal == SIGUSR1) {
        raise(SIGUSR2);
        want(calls == before + 1);
    }
    calls++;
}

CHECK(handlers_nest) {
    signal(SIGUSR1, nested);
    signal(SIGUSR2, nested);
    raise(SIGUSR1);
    want(calls == 2 && !blocked(SIGUSR1) && !blocked(SIGUSR2));
}

/* ---- Faults ---- */

CHECK(segv_where_nothing_is) {
    char *at = memory(1);
    want(munmap(at, PAGE) == 0);
    faults(SIGSEGV, *(volatile char *)(at + 5));
    want(last.si_code == SEGV_MAPERR && last.si_addr == at + 5);
    faults(SIGSEGV, *(volatile char *)(at + 6) = 1);
    want(last.si_code == SEGV_MAPERR && last.si_addr == at + 6);
    faults(SIGSEGV, ((void (*)(void))16)());
    want(last.si_code == SEGV_MAPERR && last.si_addr == (void *)16);
}

CHECK(segv_of_a_forbidden_access) {
    char *at = pages(1, PROT_READ, MAP_PRIVATE);
    faults(SIGSEGV, *(volatile char *)(at + 5) = 1);
    want(last.si_code == SEGV_ACCERR && last.si_addr == at + 5);
    faults(SIGSEGV, ((void (*)(void))at)());
    want(last.si_code == SEGV_ACCERR && last.si_addr == at);
    want(mprotect(at, PAGE, PROT_NONE) == 0);
    faults(SIGSEGV, *(volatile char *)(at + 7));
    want(last.si_code == SEGV_ACCERR && last.si_addr == at + 7);
}

CHECK(segv_of_an_address_that_cannot_be) {
    volatile unsigned long address = 0x800000000000000;
    faults(SIGSEGV, *(volatile char *)address = 1);
    want(last.si_code == SI_KERNEL && last.si_addr == 0);
    faults(SIGSEGV, asm volatile("hlt"));
    want(last.si_code == SI_KERNEL);
    faults(SIGSEGV, *(volatile char *)-PAGE);
    /* a page fault, or #GP where the CPU keeps user code out of the kernel half (Intel's LASS) */
    want(last.si_code == SEGV_MAPERR || last.si_code == SI_KERNEL);
}

static void mend(int signal, siginfo_t *info, void *context) {
    last = *info;
    calls++;
    mprotect((void *)((unsigned long)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE);
}

CHECK(handler_mends_a_fault) {
    volatile char *at = pages(1, PROT_READ, MAP_PRIVATE);
    action(SIGSEGV, mend, 0);
    at[8] = 9;
    want(calls == 1 && at[8] == 9 && last.si_addr == at + 8);
}

CHECK(bus_error_beyond_the_end_of_a_file) {
    int fd = file("f", "short");
    char *at = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    want(at != MAP_FAILED && at[4] == 't' && at[5] == 0 && at[PAGE - 1] == 0);
    faults(SIGBUS, *(volatile char *)(at + PAGE + 3));
    want(last.si_code == BUS_ADRERR && last.si_addr == at + PAGE + 3);
    want(ftruncate(fd, 2 * PAGE) == 0);
    want(at[PAGE + 3] == 0);
    want(ftruncate(fd, 0) == 0);
    faults(SIGBUS, *(volatile char *)at);
}

CHECK(fpe_of_a_division) {
    volatile int zero = 0;
    faults(SIGFPE, asm volatile("mov $1, %%eax; cltd; idivl %0" : : "m"(zero) : "eax", "edx"));
    want(last.si_code == FPE_INTDIV && (unsigned long)last.si_addr == lastRip);
}

CHECK(ill_of_an_undefined_instruction) {
    faults(SIGILL, asm volatile("ud2"));
    want(last.si_code == ILL_ILLOPN && (unsigned long)last.si_addr == lastRip);
}

CHECK(trap_of_a_breakpoint) {
    handle(SIGTRAP, 0);
    asm volatile("int3");
    want(calls == 1 && last.si_code == SI_KERNEL);
}

CHECK(faults_end_a_program) {
    pid_t pid;
    CHILD(pid) *(volatile int *)8 = 1;
    dies(pid, SIGSEGV);
    CHILD(pid) asm volatile("ud2");
    dies(pid, SIGILL);
    CHILD(pid) asm volatile("int3");
    dies(pid, SIGTRAP);
    CHILD(pid) asm volatile("xor %%ecx, %%ecx; div %%ecx" : : : "eax", "ecx", "edx");
    dies(pid, SIGFPE);
    CHILD(pid) abort();
    dies(pid, SIGABRT);
}

CHECK(fault_while_blocked_or_ignored_ends) {
    pid_t pid;
    CHILD(pid) {
        handle(SIGSEGV, 0);
        block(SIGSEGV);
        *(volatile int *)8 = 1;
    }
    dies(pid, SIGSEGV);
    CHILD(pid) {
        signal(SIGSEGV, SIG_IGN);
        want(kill(getpid(), SIGSEGV) == 0);
        *(volatile int *)8 = 1;
    }
    dies(pid, SIGSEGV);
}

CHECK(handler_without_a_stack_ends) {
    pid_t pid;
    CHILD(pid) {
        handle(SIGUSR1, 0);
        asm volatile("mov $8, %%rsp; syscall" : : "a"((long)SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1));
    }
    dies(pid, SIGSEGV);
}
