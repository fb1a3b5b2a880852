/*
 * The birth of a source stub, from clone to the int3 that its tracer waits for. Runs in the child, on a stack in the
 * boot region, with a copy of the JVM's memory that it never touches. It may call nothing but the kernel.
 */
#include <asm/errno.h>
#include <asm/mman.h>
#include <asm/signal.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/rseq.h>
#include <linux/seccomp.h>
#include <linux/signal.h>
#include <linux/time_types.h>
#include <linux/filter.h>

#include "abi.h"
#include "raw.h"

/* Lengths that a C library may have registered: multiples of the alignment, 32 bytes, and the feature size itself. */
#define RSEQ_LENGTH_STEP 32
#define RSEQ_LENGTH_MAX 1024

#define SIGNAL_COUNT 64
/* A set of capabilities has two 32-bit words. */
#define CAPABILITY_COUNT (32 * _LINUX_CAPABILITY_U32S_3)

static _Noreturn void leave(struct boot *boot, long result) {
    boot->error = (int)-result;
    for (;;)
        raw3(__NR_exit_group, 1, 0, 0);
}

/* Begins a step; the JVM reads it should the kernel kill us in the middle. */
static void begin(struct boot *boot, enum birth_step step) {
    *(volatile __u32 *)&boot->step = step;
}

static void check(struct boot *boot, long result) {
    if (result < 0)
        leave(boot, result);
}

/* Ends a child whose JVM is dead; what getppid(2) itself answers is passed on where a filter denies it. */
static void check_parent(struct boot *boot) {
    begin(boot, BIRTH_PARENT_ALIVE);
    long parent = raw3(__NR_getppid, 0, 0, 0);
    check(boot, parent);
    if ((__u32)parent != boot->jvm_pid)
        leave(boot, -EPERM);
}

/* The JVM traces us before we do anything, and may die before it does. */
static void await_tracer(struct boot *boot) {
    volatile __u32 *seized = &boot->seized;
    begin(boot, BIRTH_SEIZED);
    while (*seized == 0) {
        struct __kernel_timespec patience = {.tv_sec = 0, .tv_nsec = 100000000};
        long result = raw5(__NR_futex, (long)seized, FUTEX_WAIT, 0, (long)&patience, 0);
        if (result != -EAGAIN && result != -EINTR && result != -ETIMEDOUT)
            check(boot, result);
        check_parent(boot);
        begin(boot, BIRTH_SEIZED);
    }
}

static long default_dispositions(void) {
    struct sigaction action;
    for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP)
            continue;
        action = (struct sigaction){0}; /* SIG_DFL */
        if (SIGNAL_BIT(signal) & STUB_FAULT_SIGNALS) {
            action.sa_handler = (__sighandler_t)stub_fault_entry;
            action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTORER;
            action.sa_restorer = stub_fault_return;
        }
        long result = raw5(__NR_rt_sigaction, signal, (long)&action, 0, sizeof action.sa_mask, 0);
        if (result < 0)
            return result;
    }
    return 0;
}

/*
 * The kernel writes to a registered struct rseq at every preemption, and kills who has it unmapped. rseq(2) tells
 * neither whether one is registered nor its length: unregistering with a wrong length is EINVAL and has no effect, as
 * it is where there is none; registering another one is refused exactly where there is one.
 */
static long unregister_rseq(struct boot *boot) {
    long address = (long)(boot->thread_pointer + boot->rseq_offset);
    if (boot->rseq_length != 0) {
        if (raw5(__NR_rseq, address, boot->rseq_length, RSEQ_FLAG_UNREGISTER, RSEQ_SIGNATURE, 0) == 0)
            return 0;
        for (long length = RSEQ_LENGTH_STEP; length <= RSEQ_LENGTH_MAX; length += RSEQ_LENGTH_STEP)
            if (raw5(__NR_rseq, address, length, RSEQ_FLAG_UNREGISTER, RSEQ_SIGNATURE, 0) == 0)
                return 0;
    }
    struct rseq probe __attribute__((aligned(32))) = {0};
    long result = raw5(__NR_rseq, (long)&probe, sizeof probe, 0, RSEQ_SIGNATURE, 0);
    if (result == -ENOSYS)
        return 0; /* CONFIG_RSEQ is off, or a filter hides it: then nobody has registered any */
    if (result < 0)
        return result;
    return raw5(__NR_rseq, (long)&probe, sizeof probe, RSEQ_FLAG_UNREGISTER, RSEQ_SIGNATURE, 0);
}

static long drop_capabilities(void) {
    /*
     * The bounding set first, because dropping from it needs CAP_SETPCAP. Without that capability the call is EPERM, and
     * the stub could not gain capabilities by execve(2) either.
     */
    for (long capability = 0; capability < CAPABILITY_COUNT; capability++)
        if (raw3(__NR_prctl, PR_CAPBSET_DROP, capability, 0) != 0)
            break; /* EINVAL behind the last capability of this kernel */
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
    return raw3(__NR_capset, (long)&header, (long)none, 0); /* ambient follows: capabilities(7) */
}

static long unmap(struct boot *boot, long from, long to) {
    return raw3(__NR_munmap, (long)boot->image_base + from, to - from, 0);
}

static void die_with_the_jvm(struct boot *boot) {
    begin(boot, BIRTH_PARENT_DEATH);
    if (boot->arm_parent_death_signal)
        check(boot, raw3(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0));
}

/*
 * Begins where clone_to_birth has the child begin, and never returns: it reaches stub_ready, or ends the process.
 *
 * SAFETY: only for a process of its own, cloned without CLONE_VM, on a stack within boot, a BOOT_REGION_SIZE region of
 * MAP_SHARED memory filled as abi.h says. It ends the process that runs it, unmaps the vDSO, and gives up rights for good.
 */
__attribute__((used)) _Noreturn void birth(struct boot *boot) {
    die_with_the_jvm(boot); /* and again below: a change of credentials clears it, PR_SET_PDEATHSIG(2const) */
    await_tracer(boot);

    begin(boot, BIRTH_NAME);
    check(boot, raw3(__NR_prctl, PR_SET_NAME, (long)"stubpool-stub", 0));

    /*
     * Out of the terminal's foreground group, so that nobody's Ctrl-Z stops a stub. Not setsid: under autogroup
     * scheduling (CONFIG_SCHED_AUTOGROUP) a new session competes as a group with its tracer's, and a tracer's
     * sched_yield then does not hand the CPU to its stub (25 against 41 us a birth, both on one CPU).
     */
    begin(boot, BIRTH_PROCESS_GROUP);
    check(boot, raw3(__NR_setpgid, 0, 0, 0));

    begin(boot, BIRTH_DISPOSITIONS);
    check(boot, default_dispositions());

    begin(boot, BIRTH_SIGNAL_MASK);
    unsigned long blocked = ~STUB_UNBLOCKED_SIGNALS;
    check(boot, raw5(__NR_rt_sigprocmask, SIG_SETMASK, (long)&blocked, 0, sizeof blocked, 0));

    begin(boot, BIRTH_SIGNAL_STACK);
    stack_t no_stack = {.ss_sp = 0, .ss_flags = SS_DISABLE, .ss_size = 0};
    check(boot, raw3(__NR_sigaltstack, (long)&no_stack, 0, 0));

    begin(boot, BIRTH_RSEQ);
    check(boot, unregister_rseq(boot));

    if (boot->vdso_address != 0) {
        begin(boot, BIRTH_VDSO);
        check(boot, raw5(__NR_mremap, boot->vdso_address, boot->vdso_length, boot->vdso_length,
                         MREMAP_MAYMOVE | MREMAP_FIXED, VDSO_PARKING_ADDRESS));
    }

    begin(boot, BIRTH_CORE_LIMIT);
    struct rlimit64 none = {0, 0};
    check(boot, raw5(__NR_prlimit64, 0, RLIMIT_CORE, (long)&none, 0, 0));

    begin(boot, BIRTH_CAPABILITIES);
    check(boot, drop_capabilities());

    die_with_the_jvm(boot);
    check_parent(boot);

    /* Only what the filter will protect: the rest of the address space is the tracer's to unmap. */
    begin(boot, BIRTH_RESERVED_RANGE);
    check(boot, unmap(boot, IMAGE_STUB_OFFSET + IMAGE_STUB_SIZE, IMAGE_RESERVED_SIZE));

    begin(boot, BIRTH_PID_PAGE);
    long page = (long)(boot->image_base + IMAGE_PID_PAGE_OFFSET);
    check(boot, raw5(__NR_mremap, boot->pid_page, IMAGE_PAGE, IMAGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page));
    check(boot, raw3(__NR_madvise, page, IMAGE_PAGE, MADV_DONTFORK));

    begin(boot, BIRTH_NO_NEW_PRIVILEGES);
    check(boot, raw5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));

    begin(boot, BIRTH_FILTER);
    struct sock_fprog program = {
        .len = (unsigned short)boot->filter_length,
        .filter = (struct sock_filter *)((char *)boot + BOOT_FILTER_OFFSET),
    };
    check(boot, raw3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program));

    begin(boot, BIRTH_DONE);
    stub_ready();
    __builtin_unreachable();
}
