/*
 * The JVM's side of a source's birth: the clone. A thread of the JVM runs it; the child runs birth.c.
 */
#include <asm/errno.h>
#include <asm/mman.h>
#include <asm/signal.h>
#include <asm/unistd.h>
#include <linux/sched.h>

#include "abi.h"
#include "raw.h"

/* x86_64/clone.S */
#pragma GCC visibility push(hidden)
long clone_to_birth(unsigned long flags, void *stack, struct boot *boot);
#pragma GCC visibility pop

/*
 * Forks a source stub. The Java heap's mappings are kept from the child for the length of the clone; that is undone
 * whatever happens, for a later fork of the JVM must find its heap. All signals are blocked, so that no handler of the
 * JVM's can run in the child before its dispositions are reset. The pid, or -errno of the call that boot->step names.
 *
 * SAFETY: boot is a BOOT_REGION_SIZE region, MAP_SHARED, filled as abi.h says, and stays mapped until the child is born or
 * dead. Its ranges are mappings that nothing in the child reads or writes: they are not there. One thread at a time, for the
 * marks of madvise(2) belong to the mappings. The caller has to seize the child, which waits for that, or to kill it.
 */
long source_clone(struct boot *boot) {
    unsigned long all = ~0UL, before = 0;
    boot->step = BIRTH_SIGNAL_MASK;
    long result = raw5(__NR_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all, 0);
    if (result < 0)
        return result;
    boot->step = BIRTH_CLONE;
    boot->thread_pointer = thread_pointer();

    unsigned excluded = 0;
    for (unsigned i = 0; i < boot->range_count; i++)
        if (raw3(__NR_madvise, boot->ranges[i].address, boot->ranges[i].length, MADV_DONTFORK) == 0)
            excluded++;
    boot->ranges_excluded = excluded;

    long pid = clone_to_birth(CLONE_FILES | boot->exit_signal, (char *)boot + BOOT_REGION_SIZE, boot);

    /*
     * A mark that needs a mapping to be split can fail at vm.max_map_count (EAGAIN, madvise(2)). Once its neighbours have
     * the same mark again it needs no split, so a second pass succeeds.
     */
    int failed = 1;
    for (int pass = 0; failed && pass < 2; pass++) {
        failed = 0;
        for (unsigned i = 0; i < boot->range_count; i++)
            failed |= raw3(__NR_madvise, boot->ranges[i].address, boot->ranges[i].length, MADV_DOFORK) == -EAGAIN;
    }

    raw5(__NR_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before, 0);
    return pid;
}
