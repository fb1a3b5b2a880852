/* System calls without a C library: the result, or -errno (syscall(2), "Architecture calling conventions"). */
#ifndef STUBPOOL_RAW_H
#define STUBPOOL_RAW_H

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

static inline long raw5(long number, long a, long b, long c, long d, long e) { return raw6(number, a, b, c, d, e, 0); }

static inline long raw3(long number, long a, long b, long c) { return raw6(number, a, b, c, 0, 0, 0); }

#endif
