/* What C code needs to know of x86-64. */
#ifndef STUBPOOL_ARCH_H
#define STUBPOOL_ARCH_H

/* libc's signature of a registered struct rseq (an undefined instruction, ud1). */
#define RSEQ_SIGNATURE 0x53053053

/* One system call: the result, or -errno (syscall(2), "Architecture calling conventions"). */
static inline long raw6(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* The address that libc counts thread-local variables from: the base of fs, which is the first word there. */
static inline unsigned long thread_pointer(void) {
    unsigned long pointer;
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

#endif
