/*
 * What threads of the JVM run inside the image. Java calls these through the foreign function interface; none keeps
 * state, allocates, or touches errno.
 */
#include <asm/mman.h>
#include <asm/signal.h>
#include <asm/unistd_64.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "abi.h"
#include "abi_constants.h" /* made by build.sh from layout.h's users */
#include "raw.h"

#define SIGINFO_PID_INDEX (ABI_SIGINFO_pid / (int)sizeof(int))
_Static_assert(ABI_SIGINFO_pid % sizeof(int) == 0, "host_wait");

/*
 * Any system call. The result, or -errno.
 *
 * SAFETY: as unsafe as the call: addresses must be what the call expects, for as long as it uses them, and a call may end the
 * thread or the process, or unmap what the JVM runs on. Callers keep what they pass alive until it returns.
 */
long host_syscall(long number, long a, long b, long c, long d, long e, long f) {
    return raw6(number, a, b, c, d, e, f);
}

/*
 * Looks up to `tries` times whether the traced process whose pid is in *pid has stopped, giving the CPU away in between; a
 * pid of 0 is one that has not been written yet. 1: it has, info tells how, and the stop is consumed; 0: nothing yet;
 * -ECHILD: it is dead, and keeps its pid until it is reaped on purpose (waitid(2) without WEXITED); else -errno.
 *
 * SAFETY: pid points to an aligned int, info to a writable siginfo_t.
 */
long host_wait(const volatile int *pid, int *info, int tries) {
    for (int i = 0; i < tries; i++) {
        int target = *pid;
        if (target != 0) {
            info[SIGINFO_PID_INDEX] = 0; /* waitid leaves 0 there when WNOHANG found nothing, but not on every kernel */
            long result = raw5(__NR_waitid, P_PID, target, (long)info, WSTOPPED | WNOHANG | __WALL, 0);
            if (result < 0)
                return result;
            if (info[SIGINFO_PID_INDEX] != 0)
                return 1;
        }
        raw3(__NR_sched_yield, 0, 0, 0);
    }
    return 0;
}

/*
 * cpuid(leaf, subleaf): eax, ebx, ecx, edx to out.
 *
 * SAFETY: out points to four writable, aligned ints.
 */
void host_cpuid(unsigned leaf, unsigned subleaf, unsigned *out) {
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(subleaf));
}

/*
 * Handler of the signal that calls a tracer out of a blocking wait: EINTR is all it is for.
 *
 * SAFETY: runs on any thread that has not blocked the signal, at any instruction, so it touches nothing.
 */
void host_wake_handler(int signal) { (void)signal; }

/*
 * Returns from a handler (SA_RESTORER, sigaction(2)).
 *
 * SAFETY: only as the return address of a signal frame: rt_sigreturn(2) loads all registers from where the stack pointer is.
 */
__asm__(".pushsection .text\n"
        ".globl host_signal_return\n"
        ".type host_signal_return, @function\n"
        "host_signal_return:\n"
        "    mov $15, %eax\n"
        "    syscall\n"
        ".popsection\n");
_Static_assert(__NR_rt_sigreturn == 15, "host_signal_return");

/*
 * clone(2) onto another stack: in the parent the pid or -errno, in the child birth(boot), which never returns.
 * rdi: flags; rsi: top of the child's stack, 16-byte aligned; rdx: boot.
 *
 * SAFETY: without CLONE_VM, for two threads would run on memory of the JVM. The stack must be in memory that the child has,
 * and big enough for birth.
 */
long host_clone(unsigned long flags, void *stack, struct boot *boot);
__asm__(".pushsection .text\n"
        ".type host_clone, @function\n"
        "host_clone:\n"
        "    mov %rdx, %r9\n" /* kept across the call; clone reads five arguments */
        "    xor %edx, %edx\n"
        "    xor %r10d, %r10d\n"
        "    xor %r8d, %r8d\n"
        "    mov $56, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  xor %ebp, %ebp\n"
        "    mov %r9, %rdi\n"
        "    call birth\n"
        "    ud2\n"
        ".popsection\n");
_Static_assert(__NR_clone == 56, "host_clone");

/*
 * Forks a source stub. The Java heap's mappings are kept from the child for the length of the clone; that is undone
 * whatever happens, for a later fork of the JVM must find its heap. All signals are blocked, so that no handler of the
 * JVM's can run in the child before its dispositions are reset. The pid, or -errno of the call that boot->step names.
 *
 * SAFETY: boot is a BOOT_REGION_SIZE region, MAP_SHARED, filled as abi.h says, and stays mapped until the child is born or
 * dead. Its ranges are mappings that nothing in the child reads or writes: they are not there. One thread at a time, for the
 * marks of madvise(2) belong to the mappings. The caller has to seize the child, which waits for that, or to kill it.
 */
long host_clone_source(struct boot *boot) {
    unsigned long all = ~0UL, before = 0;
    boot->step = BIRTH_SIGNAL_MASK;
    long result = raw5(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all, 0);
    if (result < 0)
        return result;
    boot->step = BIRTH_CLONE;

    unsigned long thread_pointer;
    __asm__("mov %%fs:0, %0" : "=r"(thread_pointer));
    boot->thread_pointer = thread_pointer;

    unsigned excluded = 0;
    for (unsigned i = 0; i < boot->range_count; i++)
        if (raw3(__NR_madvise, boot->ranges[i].address, boot->ranges[i].length, MADV_DONTFORK) == 0)
            excluded++;
    boot->ranges_excluded = excluded;

    long pid = host_clone(CLONE_FILES | boot->exit_signal, (char *)boot + BOOT_REGION_SIZE, boot);

    for (unsigned i = 0; i < boot->range_count; i++)
        raw3(__NR_madvise, boot->ranges[i].address, boot->ranges[i].length, MADV_DOFORK);

    raw5(__NR_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before, 0);
    return pid;
}
