package dev.stubpool.kernel.abi;

import java.util.HashMap;
import java.util.Map;

/** Numbers and names of the system calls of x86-64, arch/x86/entry/syscalls/syscall_64.tbl. */
public final class SystemCallNames {
  /** The names in order of their numbers; each line begins with the number of its first name. */
  private static final String TABLE =
      """
      0 read write open close stat fstat lstat poll lseek mmap mprotect munmap brk
      13 rt_sigaction rt_sigprocmask rt_sigreturn ioctl pread64 pwrite64 readv writev access
      22 pipe select sched_yield mremap msync mincore madvise shmget shmat shmctl dup dup2
      34 pause nanosleep getitimer alarm setitimer getpid sendfile socket connect accept
      44 sendto recvfrom sendmsg recvmsg shutdown bind listen getsockname getpeername
      53 socketpair setsockopt getsockopt clone fork vfork execve exit wait4 kill uname semget
      65 semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl flock fsync fdatasync truncate
      77 ftruncate getdents getcwd chdir fchdir rename mkdir rmdir creat link unlink symlink
      89 readlink chmod fchmod chown fchown lchown umask gettimeofday getrlimit getrusage
      99 sysinfo times ptrace getuid syslog getgid setuid setgid geteuid getegid setpgid
      110 getppid getpgrp setsid setreuid setregid getgroups setgroups setresuid getresuid
      119 setresgid getresgid getpgid setfsuid setfsgid getsid capget capset rt_sigpending
      128 rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack utime mknod uselib
      135 personality ustat statfs fstatfs sysfs getpriority setpriority sched_setparam
      143 sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max
      147 sched_get_priority_min sched_rr_get_interval mlock munlock mlockall munlockall
      153 vhangup modify_ldt pivot_root _sysctl prctl arch_prctl adjtimex setrlimit chroot
      162 sync acct settimeofday mount umount2 swapon swapoff reboot sethostname setdomainname
      172 iopl ioperm create_module init_module delete_module get_kernel_syms query_module
      179 quotactl nfsservctl getpmsg putpmsg afs_syscall tuxcall security gettid readahead
      188 setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr
      196 flistxattr removexattr lremovexattr fremovexattr tkill time futex sched_setaffinity
      204 sched_getaffinity set_thread_area io_setup io_destroy io_getevents io_submit
      210 io_cancel get_thread_area lookup_dcookie epoll_create epoll_ctl_old epoll_wait_old
      216 remap_file_pages getdents64 set_tid_address restart_syscall semtimedop fadvise64
      222 timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime
      228 clock_gettime clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl tgkill
      235 utimes vserver mbind set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend
      243 mq_timedreceive mq_notify mq_getsetattr kexec_load waitid add_key request_key keyctl
      251 ioprio_set ioprio_get inotify_init inotify_add_watch inotify_rm_watch migrate_pages
      257 openat mkdirat mknodat fchownat futimesat newfstatat unlinkat renameat linkat
      266 symlinkat readlinkat fchmodat faccessat pselect6 ppoll unshare set_robust_list
      274 get_robust_list splice tee sync_file_range vmsplice move_pages utimensat epoll_pwait
      282 signalfd timerfd_create eventfd fallocate timerfd_settime timerfd_gettime accept4
      289 signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev
      297 rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64
      303 name_to_handle_at open_by_handle_at clock_adjtime syncfs sendmmsg setns getcpu
      310 process_vm_readv process_vm_writev kcmp finit_module sched_setattr sched_getattr
      316 renameat2 seccomp getrandom memfd_create kexec_file_load bpf execveat userfaultfd
      324 membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc
      331 pkey_free statx io_pgetevents rseq
      424 pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree
      429 move_mount fsopen fsconfig fsmount fspick pidfd_open clone3 close_range openat2
      438 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd
      444 landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret
      448 process_mrelease futex_waitv set_mempolicy_home_node cachestat fchmodat2
      453 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount
      459 lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal
      """;

  private static final Map<Integer, String> NAMES = new HashMap<>();
  private static final Map<String, Integer> NUMBERS = new HashMap<>();

  static {
    for (String line : TABLE.lines().toList()) {
      String[] words = line.split(" ", -1);
      int first = Integer.parseInt(words[0]);
      for (int i = 1; i < words.length; i++) {
        NAMES.put(first + i - 1, words[i]);
        NUMBERS.put(words[i], first + i - 1);
      }
    }
  }

  private SystemCallNames() {}

  /** The name of a number; {@code syscall_0x123} for an unknown one, like strace(1). */
  public static String name(int number) {
    String name = NAMES.get(number);
    return name != null ? name : "syscall_0x" + Integer.toHexString(number);
  }

  /** The number of a name. */
  public static int number(String name) {
    Integer number = NUMBERS.get(name);
    if (number == null) {
      throw new IllegalArgumentException("no system call " + name);
    }
    return number;
  }
}
