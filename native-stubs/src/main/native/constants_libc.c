/* Constants that libc's headers know, and the image's own, of all architectures. See constants.h. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "abi.h"
#include "constants.h"
#include "newer.h"

#define BOOT(name) INT(BOOT_##name, offsetof(struct boot, name))

_Static_assert(sizeof(struct boot) <= BOOT_FILTER_OFFSET, "boot header");
_Static_assert(BOOT_FILTER_OFFSET + 8 * BOOT_FILTER_MAX_INSTRUCTIONS + 0x8000 <= BOOT_REGION_SIZE, "32 kB of stack");
_Static_assert(IMAGE_PID_PAGE_OFFSET + IMAGE_PAGE <= IMAGE_RESERVED_SIZE, "image range");
_Static_assert((CLONE_FILES | CLONE_FS | CLONE_IO | CLONE_SYSVSEM | CLONE_PARENT | CLONE_PTRACE | CLONE_PARENT_SETTID |
                SIGCHLD) == 0x8014A611u, "child stub");

void constants_libc(void) {
    SAME(HOST_TEXT_SIZE);
    INT(IMAGE_PAGE, IMAGE_PAGE);
    SAME(IMAGE_STUB_OFFSET);
    SAME(IMAGE_STUB_SIZE);
    SAME(IMAGE_BIRTH_OFFSET);
    SAME(IMAGE_BIRTH_SIZE);
    SAME(IMAGE_PID_PAGE_OFFSET);
    SAME(FILE_STUB_OFFSET);
    SAME(FILE_BIRTH_OFFSET);
    SAME(FILE_SIZE);
    SAME(IMAGE_RESERVED_SIZE);
    SAME(STUB_FRAME_OFFSET);
    SAME(STUB_FRAME_SIZE);
    SAME(BOOT_REGION_SIZE);
    SAME(BOOT_FILTER_OFFSET);
    SAME(BOOT_FILTER_MAX_INSTRUCTIONS);
    SAME(BOOT_MAX_RANGES);

    BOOT(image_base);
    BOOT(vdso_address);
    BOOT(vdso_length);
    BOOT(rseq_offset);
    BOOT(rseq_length);
    BOOT(pid_page);
    BOOT(jvm_pid);
    BOOT(exit_signal);
    BOOT(filter_length);
    BOOT(arm_parent_death_signal);
    BOOT(range_count);
    BOOT(ranges_excluded);
    BOOT(seized);
    BOOT(step);
    BOOT(error);
    BOOT(ranges);
    INT(BOOT_RANGE_SIZE, sizeof(struct boot_range));
    INT(BOOT_RANGE_address, offsetof(struct boot_range, address));
    INT(BOOT_RANGE_length, offsetof(struct boot_range, length));

    INT(SYSCALL_INFO_SIZE, sizeof(struct ptrace_syscall_info));
    INT(SYSCALL_INFO_op, offsetof(struct ptrace_syscall_info, op));
    INT(SYSCALL_INFO_arch, offsetof(struct ptrace_syscall_info, arch));
    INT(SYSCALL_INFO_instruction_pointer, offsetof(struct ptrace_syscall_info, instruction_pointer));
    INT(SYSCALL_INFO_stack_pointer, offsetof(struct ptrace_syscall_info, stack_pointer));
    INT(SYSCALL_INFO_nr, offsetof(struct ptrace_syscall_info, entry.nr));
    INT(SYSCALL_INFO_args, offsetof(struct ptrace_syscall_info, entry.args));
    SAME(PTRACE_SYSCALL_INFO_ENTRY);

    INT(IOVEC_SIZE, sizeof(struct iovec));
    INT(IOVEC_base, offsetof(struct iovec, iov_base));
    INT(IOVEC_len, offsetof(struct iovec, iov_len));
    INT(IOV_MAX, IOV_MAX);

    SAME(PTRACE_SEIZE);
    SAME(PTRACE_CONT);
    SAME(PTRACE_GETREGSET);
    SAME(PTRACE_SETREGSET);
    SAME(PTRACE_POKEUSR);
    SAME(PTRACE_PEEKUSR);
    SAME(PTRACE_GETSIGINFO);
    SAME(PTRACE_SINGLESTEP);
    SAME(PTRACE_DETACH);
    SAME(PTRACE_INTERRUPT);
    SAME(PTRACE_GET_SYSCALL_INFO);
    SAME(PTRACE_PEEKSIGINFO);
    SAME(PTRACE_PEEKSIGINFO_SHARED);
    SAME(PTRACE_GETSIGMASK);
    SAME(PTRACE_SETSIGMASK);
    INT(PEEKSIGINFO_SIZE, sizeof(struct ptrace_peeksiginfo_args));
    INT(PEEKSIGINFO_flags, offsetof(struct ptrace_peeksiginfo_args, flags));
    INT(PEEKSIGINFO_nr, offsetof(struct ptrace_peeksiginfo_args, nr));
    SAME(PTRACE_O_TRACESYSGOOD);
    SAME(PTRACE_O_EXITKILL);
    SAME(PTRACE_EVENT_STOP);
    SAME(NT_PRSTATUS);

    SAME(SIGKILL);
    SAME(SIGTRAP);
    SAME(SIGSYS);
    SAME(SIGSTOP);
    SAME(SIGURG);
    SAME(SIGCHLD);
    SAME(SIGSEGV);
    SAME(SIGBUS);
    SAME(SIGILL);
    SAME(SIGFPE);

    INT(P_ALL, P_ALL);
    INT(P_PID, P_PID);
    SAME(WNOHANG);
    SAME(WEXITED);
    SAME(WSTOPPED);
    SAME(WNOWAIT);
    INT(WALL, __WALL);
    INT(WNOTHREAD, __WNOTHREAD);

    LONG(CHILD_STUB_FLAGS, CLONE_FILES | CLONE_FS | CLONE_IO | CLONE_SYSVSEM | CLONE_PARENT | CLONE_PTRACE |
                               CLONE_PARENT_SETTID | SIGCHLD);
    LONG(GUEST_THREAD_FLAGS, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                 CLONE_PTRACE);
    SAME(FUTEX_WAIT_PRIVATE);
    SAME(EINTR);
    SAME(EINVAL);
    SAME(FUTEX_WAKE);
    SAME(PR_SET_PDEATHSIG);
    SAME(PR_SET_NO_NEW_PRIVS);

    SAME(PROT_NONE);
    SAME(PROT_READ);
    SAME(PROT_WRITE);
    SAME(PROT_EXEC);
    SAME(MAP_SHARED);
    SAME(MAP_PRIVATE);
    SAME(MAP_ANONYMOUS);
    SAME(MAP_FIXED);
    INT(MAP_FIXED_NOREPLACE, MAP_FIXED_NOREPLACE);
    SAME(MAP_NORESERVE);
    SAME(MAP_POPULATE);
    SAME(MFD_CLOEXEC);
    SAME(MFD_ALLOW_SEALING);
    INT(MFD_NOEXEC_SEAL, STUBPOOL_MFD_NOEXEC_SEAL);
    SAME(F_ADD_SEALS);
    INT(SEALS_OF_TEXT, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE);
    INT(SEALS_OF_A_MEMORY_FILE, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW);
    INT(SEALS_OF_PUBLISHED_MEMORY, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE);
    SAME(F_DUPFD_CLOEXEC);
    SAME(F_GETFD);
    SAME(O_RDONLY);
    SAME(O_RDWR);
    SAME(O_PATH);
    SAME(O_NONBLOCK);
    SAME(O_NOCTTY);
    SAME(O_NOFOLLOW);
    SAME(O_CLOEXEC);
    SAME(AT_FDCWD);
    SAME(SIG_UNBLOCK);
    SAME(RLIMIT_NOFILE);
    SAME(RLIMIT_CPU);
    SAME(RLIMIT_DATA);
    SAME(RLIMIT_CORE);
    SAME(RLIMIT_AS);
    SAME(RLIMIT_NPROC);
    SAME(RLIMIT_SIGPENDING);
    INT(RLIMIT64_SIZE, sizeof(struct rlimit64));
    INT(RLIMIT64_soft, offsetof(struct rlimit64, rlim_cur));
    INT(STAT_SIZE, sizeof(struct stat));
    INT(STAT_nlink, offsetof(struct stat, st_nlink));

    INT(SYS_mseal, STUBPOOL_NR_mseal);
}
