/*
 * What the image and Java agree on: where things lie in the image's range, the boot region, and the steps of a birth.
 * constants_libc.c turns all of it into Java constants, so that none is typed twice.
 */
#ifndef STUBPOOL_ABI_H
#define STUBPOOL_ABI_H

#include <linux/types.h>

/* The host text, which threads of the JVM call: shared, read-execute, in the JVM only, anywhere. No stub may keep it. */
#define HOST_TEXT_SIZE 0x1000

/* The image's range, relative to its base. Page size is 4096: x86-64 has no other base page. */
#define IMAGE_PAGE 0x1000
#define IMAGE_STUB_OFFSET 0x0 /* shared, read-execute, sealed: in every stub */
#define IMAGE_STUB_SIZE 0x1000
#define IMAGE_PID_PAGE_OFFSET 0x8000 /* where a source sees the page that child pids arrive in */
#define IMAGE_RESERVED_SIZE 0x400000
/*
 * Behind the range, in a stub: where a signal frame is built that tells about a fault; mapped when the first one is.
 * The kernel's largest frame is AT_MINSIGSTKSZ, 11,952 bytes where the CPU has AMX (Linux 5.14).
 */
#define STUB_FRAME_OFFSET IMAGE_RESERVED_SIZE
#define STUB_FRAME_SIZE 0x10000
/* Behind the range: shared, read-execute, in the JVM only. It makes any call, so no stub may keep it. */
#define IMAGE_BIRTH_OFFSET IMAGE_RESERVED_SIZE
#define IMAGE_BIRTH_SIZE 0x8000

/* The same in the memfd. */
#define FILE_STUB_OFFSET 0x0
#define FILE_BIRTH_OFFSET IMAGE_STUB_SIZE
#define FILE_SIZE (FILE_BIRTH_OFFSET + IMAGE_BIRTH_SIZE)

/* Signals, for those who include <asm/signal.h>. */
#define SIGNAL_BIT(signal) (1UL << ((signal)-1))
/* A blocked instance of these would reset its handler (force_sig in Linux's kernel/signal.c). */
#define STUB_FAULT_SIGNALS (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGFPE))
/* These and what a tracer must see at once. */
#define STUB_UNBLOCKED_SIGNALS                                                                                         \
    (STUB_FAULT_SIGNALS | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS) | SIGNAL_BIT(SIGURG))

/* Where a source moves the vDSO before it is unmapped: some kernels let a guest learn the last address it had. */
#define VDSO_PARKING_ADDRESS 0x10000000

/*
 * The boot region: shared between the JVM and one source for the length of a birth.
 * Header, then the filter, then the child's stack, which grows down from the end.
 */
#define BOOT_REGION_SIZE 0x20000
#define BOOT_FILTER_OFFSET 0x4000
#define BOOT_FILTER_MAX_INSTRUCTIONS 4096
#define BOOT_MAX_RANGES 512

struct boot_range {
    __u64 address;
    __u64 length;
};

struct boot {
    /* written by the JVM before the clone */
    __u64 image_base;
    __u64 vdso_address; /* 0: none */
    __u64 vdso_length;
    __u64 rseq_offset;  /* of struct rseq from the thread pointer, as libc tells; used if rseq_length != 0 */
    __u64 rseq_length;  /* what libc says it registered; 0: this libc registers none */
    __u64 pid_page;     /* the JVM's address of the pid page */
    __u32 jvm_pid;
    __u32 exit_signal;
    __u32 filter_length; /* instructions at BOOT_FILTER_OFFSET */
    __u32 arm_parent_death_signal; /* 0 only in tests of the other mechanism */
    __u32 range_count;
    /* written by the cloning thread */
    __u32 ranges_excluded; /* how many ranges the kernel let us keep from the child */
    __u64 thread_pointer;
    __u32 seized; /* futex: becomes 1 when the child is traced */
    /* written by the child */
    __u32 step; /* the step being done, BIRTH_DONE at the end; until there is a child, by the cloning thread */
    __s32 error; /* errno of the step that failed */
    __u32 padding;
    /* mappings of the Java heap, kept from the child */
    struct boot_range ranges[BOOT_MAX_RANGES];
};

/*
 * In the order of birth(). Three of them also occur earlier: PARENT_DEATH and PARENT_ALIVE at the start of the child, and
 * SIGNAL_MASK in the cloning thread; they stand where they are done last. The text names the call for error messages.
 */
#define BIRTH_STEPS(STEP)                                                                                              \
    STEP(CLONE, "clone")                                                                                               \
    STEP(SEIZED, "futex(FUTEX_WAIT) until traced")                                                                     \
    STEP(NAME, "prctl(PR_SET_NAME)")                                                                                   \
    STEP(PROCESS_GROUP, "setpgid")                                                                                     \
    STEP(DISPOSITIONS, "rt_sigaction")                                                                                 \
    STEP(SIGNAL_MASK, "rt_sigprocmask")                                                                                \
    STEP(SIGNAL_STACK, "sigaltstack")                                                                                  \
    STEP(RSEQ, "rseq(RSEQ_FLAG_UNREGISTER)")                                                                           \
    STEP(VDSO, "mremap of the vDSO")                                                                                   \
    STEP(CORE_LIMIT, "prlimit64(RLIMIT_CORE)")                                                                         \
    STEP(CAPABILITIES, "capset")                                                                                       \
    STEP(PARENT_DEATH, "prctl(PR_SET_PDEATHSIG)")                                                                      \
    STEP(PARENT_ALIVE, "getppid")                                                                                      \
    STEP(RESERVED_RANGE, "munmap of the reserved range")                                                               \
    STEP(PID_PAGE, "mremap and madvise(MADV_DONTFORK) of the pid page")                                                \
    STEP(NO_NEW_PRIVILEGES, "prctl(PR_SET_NO_NEW_PRIVS)")                                                              \
    STEP(FILTER, "seccomp(SECCOMP_SET_MODE_FILTER)")                                                                   \
    STEP(DONE, "int3")

#define BIRTH_ENUM(name, call) BIRTH_##name,
enum birth_step { BIRTH_STEPS(BIRTH_ENUM) };

/* Image text, called across the two halves. Hidden: else the compiler asks for their addresses by way of a GOT. */
#pragma GCC visibility push(hidden)
void stub_ready(void);
void stub_fault_entry(void);
void stub_fault_return(void);
#pragma GCC visibility pop

#endif
