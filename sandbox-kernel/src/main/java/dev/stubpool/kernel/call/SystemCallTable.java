package dev.stubpool.kernel.call;

import static dev.stubpool.kernel.call.Parameter.ADDRESS;
import static dev.stubpool.kernel.call.Parameter.CREATION_MODE;
import static dev.stubpool.kernel.call.Parameter.DATA_IN;
import static dev.stubpool.kernel.call.Parameter.DATA_OUT;
import static dev.stubpool.kernel.call.Parameter.DIRECTORY;
import static dev.stubpool.kernel.call.Parameter.HEX;
import static dev.stubpool.kernel.call.Parameter.INTEGER;
import static dev.stubpool.kernel.call.Parameter.MAP_FLAGS;
import static dev.stubpool.kernel.call.Parameter.MODE;
import static dev.stubpool.kernel.call.Parameter.NUMBER;
import static dev.stubpool.kernel.call.Parameter.OPEN_FLAGS;
import static dev.stubpool.kernel.call.Parameter.PROTECTION;
import static dev.stubpool.kernel.call.Parameter.SIGNAL;
import static dev.stubpool.kernel.call.Parameter.STRING;

import dev.stubpool.SystemCallAbi;
import dev.stubpool.Trap;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.InterruptedCallException;
import dev.stubpool.kernel.abi.SystemCallNames;
import dev.stubpool.kernel.process.Task;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The table of all system calls that the kernel supports, by number. */
public final class SystemCallTable {
  /** Unsupported calls that every libc tries and can do without: not reported. */
  private static final String[] EXPECTED = {
    "rseq", "clone3", "pidfd_open", "pidfd_send_signal", "pidfd_getfd",
  };

  /** The calls on sockets, which do not exist here. */
  private static final String[] SOCKET_CALLS = {
    "connect",
    "accept",
    "accept4",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "sendmmsg",
    "recvmmsg",
    "shutdown",
    "bind",
    "listen",
    "getsockname",
    "getpeername",
    "setsockopt",
    "getsockopt",
  };

  private final Map<Integer, SystemCall> calls = new HashMap<>();
  private final Set<String> complained = new HashSet<>();
  private final Consumer<String> diagnostics;
  private final Strace strace;
  private final CallCounts counts;

  /**
   * Creates the table.
   *
   * @param diagnostics receives a message for each unsupported call, once
   * @param strace prints the calls; may be null
   * @param counts counts the calls; may be null
   */
  public SystemCallTable(Consumer<String> diagnostics, Strace strace, CallCounts counts) {
    this.diagnostics = diagnostics;
    this.strace = strace;
    this.counts = counts;
    addFiles();
    addPaths();
    addChanges();
    addMemory();
    addFutexes();
    addProcesses();
    addIdentities();
    addSignals();
    addTime();
    for (String name : EXPECTED) {
      add(name, always(Errno.ENOSYS), HEX, HEX, HEX, HEX, HEX);
    }
  }

  private static SystemCall.Handler always(Errno errno) {
    return (_, _) -> -errno.number();
  }

  private void addFiles() {
    add("read", DataCalls::read, INTEGER, DATA_OUT, NUMBER);
    add("pread64", DataCalls::pread, INTEGER, DATA_OUT, NUMBER, NUMBER);
    add("readv", DataCalls::readv, INTEGER, ADDRESS, INTEGER);
    add("preadv", DataCalls::preadv, INTEGER, ADDRESS, INTEGER, NUMBER);
    add("preadv2", DataCalls::preadv2, INTEGER, ADDRESS, INTEGER, NUMBER, HEX, HEX);
    add("write", DataCalls::write, INTEGER, DATA_IN, NUMBER);
    add("pwrite64", DataCalls::pwrite, INTEGER, DATA_IN, NUMBER, NUMBER);
    add("writev", DataCalls::writev, INTEGER, ADDRESS, INTEGER);
    add("pwritev", DataCalls::pwritev, INTEGER, ADDRESS, INTEGER, NUMBER);
    add("pwritev2", DataCalls::pwritev2, INTEGER, ADDRESS, INTEGER, NUMBER, HEX, HEX);
    add("sendfile", TransferCalls::sendfile, INTEGER, INTEGER, ADDRESS, NUMBER);
    add(
        "copy_file_range",
        TransferCalls::copyFileRange,
        INTEGER,
        ADDRESS,
        INTEGER,
        ADDRESS,
        NUMBER,
        HEX);
    add("lseek", FileCalls::lseek, INTEGER, NUMBER, INTEGER);
    add("getdents", FileCalls::getdents, INTEGER, ADDRESS, NUMBER);
    add("getdents64", FileCalls::getdents64, INTEGER, ADDRESS, NUMBER);
    add("ioctl", FileCalls::ioctl, INTEGER, HEX, ADDRESS);
    add("close", DescriptorCalls::close, INTEGER);
    add("close_range", DescriptorCalls::closeRange, INTEGER, INTEGER, HEX);
    add("dup", DescriptorCalls::dup, INTEGER);
    add("dup2", DescriptorCalls::dup2, INTEGER, INTEGER);
    add("dup3", DescriptorCalls::dup3, INTEGER, INTEGER, OPEN_FLAGS);
    add("fcntl", DescriptorCalls::fcntl, INTEGER, INTEGER, HEX);
    add("flock", LockCalls::flock, INTEGER, HEX);
    addWaiting();
    addWithout();
  }

  private void addWaiting() {
    add("pipe", PipeCalls::pipe, ADDRESS);
    add("pipe2", PipeCalls::pipe2, ADDRESS, OPEN_FLAGS);
    add("memfd_create", PipeCalls::memfdCreate, STRING, HEX);
    add("eventfd", PipeCalls::eventfd, INTEGER);
    add("eventfd2", PipeCalls::eventfd2, INTEGER, HEX);
    add("timerfd_create", TimerFileCalls::create, INTEGER, OPEN_FLAGS);
    add("timerfd_settime", TimerFileCalls::settime, INTEGER, HEX, ADDRESS, ADDRESS);
    add("timerfd_gettime", TimerFileCalls::gettime, INTEGER, ADDRESS);
    add("poll", PollCalls::poll, ADDRESS, INTEGER, INTEGER);
    add("ppoll", PollCalls::ppoll, ADDRESS, INTEGER, ADDRESS, ADDRESS, NUMBER);
    add("select", PollCalls::select, INTEGER, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    add("pselect6", PollCalls::pselect6, INTEGER, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    add("epoll_create", EpollCalls::create, INTEGER);
    add("epoll_create1", EpollCalls::create1, OPEN_FLAGS);
    add("epoll_ctl", EpollCalls::ctl, INTEGER, INTEGER, INTEGER, ADDRESS);
    add("epoll_wait", EpollCalls::wait, INTEGER, ADDRESS, INTEGER, INTEGER);
    add("epoll_pwait", EpollCalls::pwait, INTEGER, ADDRESS, INTEGER, INTEGER, ADDRESS, NUMBER);
    add("epoll_pwait2", EpollCalls::pwait2, INTEGER, ADDRESS, INTEGER, ADDRESS, ADDRESS, NUMBER);
  }

  /** Adds calls that always fail, which programs can do without. */
  private void addWithout() {
    for (String name : new String[] {"splice", "tee", "vmsplice", "signalfd", "signalfd4"}) {
      add(name, always(Errno.ENOSYS), HEX, HEX, HEX, HEX, HEX, HEX);
    }
    add("socket", always(Errno.EAFNOSUPPORT), INTEGER, INTEGER, INTEGER);
    add("socketpair", always(Errno.EAFNOSUPPORT), INTEGER, INTEGER, INTEGER, ADDRESS);
    for (String name : SOCKET_CALLS) {
      add(name, PipeCalls::notSocket, INTEGER, HEX, HEX, HEX, HEX, HEX);
    }
  }

  private void addPaths() {
    add("open", OpenCalls::open, STRING, OPEN_FLAGS, CREATION_MODE);
    add("openat", OpenCalls::openat, DIRECTORY, STRING, OPEN_FLAGS, CREATION_MODE);
    add("openat2", OpenCalls::openat2, DIRECTORY, STRING, ADDRESS, NUMBER);
    add("creat", OpenCalls::creat, STRING, MODE);
    add("stat", PathCalls::stat, STRING, ADDRESS);
    add("lstat", PathCalls::lstat, STRING, ADDRESS);
    add("fstat", PathCalls::fstat, INTEGER, ADDRESS);
    add("newfstatat", PathCalls::newfstatat, DIRECTORY, STRING, ADDRESS, HEX);
    add("statx", PathCalls::statx, DIRECTORY, STRING, HEX, HEX, ADDRESS);
    add("statfs", PathCalls::statfs, STRING, ADDRESS);
    add("fstatfs", PathCalls::fstatfs, INTEGER, ADDRESS);
    add("access", PathCalls::access, STRING, INTEGER);
    add("faccessat", PathCalls::faccessat, DIRECTORY, STRING, INTEGER);
    add("faccessat2", PathCalls::faccessat2, DIRECTORY, STRING, INTEGER, HEX);
    add("readlink", PathCalls::readlink, STRING, DATA_OUT, NUMBER);
    add("readlinkat", PathCalls::readlinkat, DIRECTORY, STRING, DATA_OUT, NUMBER);
    add("getcwd", DirectoryCalls::getcwd, STRING, NUMBER);
    add("chdir", DirectoryCalls::chdir, STRING);
    add("fchdir", DirectoryCalls::fchdir, INTEGER);
    add("chroot", DirectoryCalls::chroot, STRING);
    addExtendedAttributes();
  }

  private void addExtendedAttributes() {
    add("getxattr", PathCalls::getxattr, STRING, STRING, ADDRESS, NUMBER);
    add("lgetxattr", PathCalls::lgetxattr, STRING, STRING, ADDRESS, NUMBER);
    add("fgetxattr", PathCalls::fgetxattr, INTEGER, STRING, ADDRESS, NUMBER);
    add("listxattr", PathCalls::listxattr, STRING, ADDRESS, NUMBER);
    add("llistxattr", PathCalls::llistxattr, STRING, ADDRESS, NUMBER);
    add("flistxattr", PathCalls::flistxattr, INTEGER, ADDRESS, NUMBER);
    add("removexattr", PathCalls::getxattr, STRING, STRING);
    add("lremovexattr", PathCalls::lgetxattr, STRING, STRING);
    add("fremovexattr", PathCalls::fgetxattr, INTEGER, STRING);
    add("setxattr", always(Errno.EOPNOTSUPP), STRING, STRING, ADDRESS, NUMBER, HEX);
    add("lsetxattr", always(Errno.EOPNOTSUPP), STRING, STRING, ADDRESS, NUMBER, HEX);
    add("fsetxattr", always(Errno.EOPNOTSUPP), INTEGER, STRING, ADDRESS, NUMBER, HEX);
  }

  private void addChanges() {
    add("rename", DirectoryCalls::rename, STRING, STRING);
    add("renameat", DirectoryCalls::renameat, DIRECTORY, STRING, DIRECTORY, STRING);
    add("renameat2", DirectoryCalls::renameat2, DIRECTORY, STRING, DIRECTORY, STRING, HEX);
    add("mkdir", DirectoryCalls::mkdir, STRING, MODE);
    add("mkdirat", DirectoryCalls::mkdirat, DIRECTORY, STRING, MODE);
    add("mknod", DirectoryCalls::mknod, STRING, MODE, HEX);
    add("mknodat", DirectoryCalls::mknodat, DIRECTORY, STRING, MODE, HEX);
    add("rmdir", DirectoryCalls::rmdir, STRING);
    add("link", DirectoryCalls::link, STRING, STRING);
    add("linkat", DirectoryCalls::linkat, DIRECTORY, STRING, DIRECTORY, STRING, HEX);
    add("unlink", DirectoryCalls::unlink, STRING);
    add("unlinkat", DirectoryCalls::unlinkat, DIRECTORY, STRING, HEX);
    add("symlink", DirectoryCalls::symlink, STRING, STRING);
    add("symlinkat", DirectoryCalls::symlinkat, STRING, DIRECTORY, STRING);
    add("chmod", AttributeCalls::chmod, STRING, MODE);
    add("fchmod", AttributeCalls::fchmod, INTEGER, MODE);
    add("fchmodat", AttributeCalls::fchmodat, DIRECTORY, STRING, MODE);
    add("fchmodat2", AttributeCalls::fchmodat2, DIRECTORY, STRING, MODE, HEX);
    add("chown", AttributeCalls::chown, STRING, INTEGER, INTEGER);
    add("lchown", AttributeCalls::lchown, STRING, INTEGER, INTEGER);
    add("fchown", AttributeCalls::fchown, INTEGER, INTEGER, INTEGER);
    add("fchownat", AttributeCalls::fchownat, DIRECTORY, STRING, INTEGER, INTEGER, HEX);
    add("utime", AttributeCalls::utime, STRING, ADDRESS);
    add("utimes", AttributeCalls::utimes, STRING, ADDRESS);
    add("futimesat", AttributeCalls::futimesat, DIRECTORY, STRING, ADDRESS);
    add("utimensat", AttributeCalls::utimensat, DIRECTORY, STRING, ADDRESS, HEX);
    addSizes();
  }

  private void addSizes() {
    add("truncate", AttributeCalls::truncate, STRING, NUMBER);
    add("ftruncate", AttributeCalls::ftruncate, INTEGER, NUMBER);
    add("fallocate", AttributeCalls::fallocate, INTEGER, HEX, NUMBER, NUMBER);
    add("sync", AttributeCalls::sync);
    add("syncfs", AttributeCalls::syncfs, INTEGER);
    add("fsync", AttributeCalls::fsync, INTEGER);
    add("fdatasync", AttributeCalls::fsync, INTEGER);
    add("sync_file_range", AttributeCalls::fsync, INTEGER, NUMBER, NUMBER, HEX);
    add("fadvise64", AttributeCalls::fadvise, INTEGER, NUMBER, NUMBER, INTEGER);
    add("readahead", AttributeCalls::readahead, INTEGER, NUMBER, NUMBER);
    for (String name : new String[] {"inotify_init", "inotify_init1"}) {
      add(name, always(Errno.ENOSYS), HEX);
    }
  }

  private void addMemory() {
    addAddress("brk", MemoryCalls::brk, ADDRESS);
    addAddress("mmap", MemoryCalls::mmap, ADDRESS, NUMBER, PROTECTION, MAP_FLAGS, INTEGER, HEX);
    addAddress("mremap", MemoryCalls::mremap, ADDRESS, NUMBER, NUMBER, HEX, ADDRESS);
    add("munmap", MemoryCalls::munmap, ADDRESS, NUMBER);
    add("mprotect", MemoryCalls::mprotect, ADDRESS, NUMBER, PROTECTION);
    add("madvise", MemoryCalls::madvise, ADDRESS, NUMBER, INTEGER);
    add("msync", MemoryCalls::msync, ADDRESS, NUMBER, HEX);
    add("mincore", MemoryCalls::mincore, ADDRESS, NUMBER, ADDRESS);
    add("mlock", MemoryCalls::mlock, ADDRESS, NUMBER);
    add("mlock2", MemoryCalls::mlock2, ADDRESS, NUMBER, HEX);
    add("munlock", MemoryCalls::mlock, ADDRESS, NUMBER);
    add("mlockall", MemoryCalls::mlockall, HEX);
    add("munlockall", MemoryCalls::munlockall);
    add("membarrier", MemoryCalls::membarrier, INTEGER, HEX, INTEGER);
    for (String name : new String[] {"get_mempolicy", "set_mempolicy", "mbind"}) {
      add(name, always(Errno.ENOSYS), HEX, HEX, HEX, HEX, HEX);
    }
  }

  private void addFutexes() {
    add("futex", FutexCalls::futex, ADDRESS, HEX, INTEGER, ADDRESS, ADDRESS, HEX);
    add("futex_waitv", always(Errno.ENOSYS), ADDRESS, INTEGER, HEX, ADDRESS, INTEGER);
  }

  private void addProcesses() {
    add("clone", CloneCalls::clone, HEX, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    add("fork", CloneCalls::fork);
    add("vfork", CloneCalls::vfork);
    add("execve", ExecCalls::execve, STRING, ADDRESS, ADDRESS);
    add("execveat", ExecCalls::execveat, DIRECTORY, STRING, ADDRESS, ADDRESS, HEX);
    add("exit", ProcessCalls::exit, INTEGER);
    add("exit_group", ProcessCalls::exitGroup, INTEGER);
    add("wait4", WaitCalls::wait4, INTEGER, ADDRESS, HEX, ADDRESS);
    add("waitid", WaitCalls::waitid, INTEGER, INTEGER, ADDRESS, HEX, ADDRESS);
    add("arch_prctl", ProcessCalls::archPrctl, HEX, ADDRESS);
    add("prctl", ProcessCalls::prctl, INTEGER, HEX, HEX, HEX, HEX);
    add("set_tid_address", ProcessCalls::setTidAddress, ADDRESS);
    add("set_robust_list", ProcessCalls::setRobustList, ADDRESS, NUMBER);
    add("get_robust_list", ProcessCalls::getRobustList, INTEGER, ADDRESS, ADDRESS);
    add("getpid", ProcessCalls::getpid);
    add("gettid", ProcessCalls::gettid);
    add("getppid", ProcessCalls::getppid);
    add("getpgrp", ProcessCalls::getpgrp);
    add("getpgid", ProcessCalls::getpgid, INTEGER);
    add("setpgid", ProcessCalls::setpgid, INTEGER, INTEGER);
    add("getsid", ProcessCalls::getsid, INTEGER);
    add("setsid", ProcessCalls::setsid);
    add("umask", ProcessCalls::umask, MODE);
    add("sched_getaffinity", ProcessCalls::schedGetaffinity, INTEGER, NUMBER, ADDRESS);
    add("getcpu", ProcessCalls::getcpu, ADDRESS, ADDRESS, ADDRESS);
    add("getpriority", ProcessCalls::getpriority, INTEGER, INTEGER);
    add("prlimit64", ProcessCalls::prlimit, INTEGER, INTEGER, ADDRESS, ADDRESS);
    add("getrlimit", ProcessCalls::getrlimit, INTEGER, ADDRESS);
    add("setrlimit", ProcessCalls::setrlimit, INTEGER, ADDRESS);
    add("getrandom", ProcessCalls::getrandom, DATA_OUT, NUMBER, HEX);
    add("uname", ProcessCalls::uname, ADDRESS);
    add("sysinfo", ProcessCalls::sysinfo, ADDRESS);
  }

  private void addIdentities() {
    add("getuid", ProcessCalls::getuid);
    add("geteuid", ProcessCalls::getuid);
    add("getgid", ProcessCalls::getgid);
    add("getegid", ProcessCalls::getgid);
    add("setuid", ProcessCalls::setuid, INTEGER);
    add("setgid", ProcessCalls::setgid, INTEGER);
    add("getgroups", ProcessCalls::getgroups, INTEGER, ADDRESS);
    add("getresuid", ProcessCalls::getresuid, ADDRESS, ADDRESS, ADDRESS);
    add("getresgid", ProcessCalls::getresgid, ADDRESS, ADDRESS, ADDRESS);
  }

  private void addSignals() {
    add("rt_sigaction", SignalCalls::sigaction, SIGNAL, ADDRESS, ADDRESS, NUMBER);
    add("rt_sigprocmask", SignalCalls::sigprocmask, INTEGER, ADDRESS, ADDRESS, NUMBER);
    add("rt_sigpending", SignalCalls::sigpending, ADDRESS, NUMBER);
    add("rt_sigreturn", SignalCalls::sigreturn);
    add("rt_sigsuspend", SignalCalls::sigsuspend, ADDRESS, NUMBER);
    add("rt_sigtimedwait", SignalCalls::sigtimedwait, ADDRESS, ADDRESS, ADDRESS, NUMBER);
    add("pause", SignalCalls::pause);
    add("sigaltstack", SignalCalls::sigaltstack, ADDRESS, ADDRESS);
    add("kill", KillCalls::kill, INTEGER, SIGNAL);
    add("tkill", KillCalls::tkill, INTEGER, SIGNAL);
    add("tgkill", KillCalls::tgkill, INTEGER, INTEGER, SIGNAL);
    add("rt_sigqueueinfo", KillCalls::sigqueueinfo, INTEGER, SIGNAL, ADDRESS);
    add("rt_tgsigqueueinfo", KillCalls::tgsigqueueinfo, INTEGER, INTEGER, SIGNAL, ADDRESS);
  }

  private void addTime() {
    add("clock_gettime", TimeCalls::clockGettime, INTEGER, ADDRESS);
    add("clock_getres", TimeCalls::clockGetres, INTEGER, ADDRESS);
    add("clock_settime", TimeCalls::clockSettime, INTEGER, ADDRESS);
    add("gettimeofday", TimeCalls::gettimeofday, ADDRESS, ADDRESS);
    add("settimeofday", always(Errno.EPERM), ADDRESS, ADDRESS);
    add("time", TimeCalls::time, ADDRESS);
    add("times", TimeCalls::times, ADDRESS);
    add("getrusage", TimeCalls::getrusage, INTEGER, ADDRESS);
    add("nanosleep", TimeCalls::nanosleep, ADDRESS, ADDRESS);
    add("clock_nanosleep", TimeCalls::clockNanosleep, INTEGER, INTEGER, ADDRESS, ADDRESS);
    add("sched_yield", TimeCalls::schedYield);
    add("alarm", TimerCalls::alarm, INTEGER);
    add("getitimer", TimerCalls::getitimer, INTEGER, ADDRESS);
    add("setitimer", TimerCalls::setitimer, INTEGER, ADDRESS, ADDRESS);
    add("timer_create", TimerCalls::timerCreate, INTEGER, ADDRESS, ADDRESS);
    add("timer_settime", TimerCalls::timerSettime, INTEGER, HEX, ADDRESS, ADDRESS);
    add("timer_gettime", TimerCalls::timerGettime, INTEGER, ADDRESS);
    add("timer_getoverrun", TimerCalls::timerGetoverrun, INTEGER);
    add("timer_delete", TimerCalls::timerDelete, INTEGER);
  }

  private void add(String name, SystemCall.Handler handler, Parameter... parameters) {
    add(name, handler, SystemCall.Result.NUMBER, parameters);
  }

  private void addAddress(String name, SystemCall.Handler handler, Parameter... parameters) {
    add(name, handler, SystemCall.Result.ADDRESS, parameters);
  }

  private void add(
      String name, SystemCall.Handler handler, SystemCall.Result result, Parameter... parameters) {
    calls.put(
        SystemCallNames.number(name), new SystemCall(name, handler, result, List.of(parameters)));
  }

  /**
   * Serves a call; returns the result for the guest, which is a negative errno for an error.
   *
   * @throws InterruptedCallException if a signal interrupted it before it had an effect
   */
  public long serve(Task task, Trap.SystemCall trap) {
    Arguments arguments = new Arguments(task.memory(), trap.arguments());
    SystemCall call = known(trap);
    if (call == null) {
      return refuse(task, trap, arguments);
    }
    long begun = counts == null ? 0 : System.nanoTime();
    long result = -Errno.EINTR.number();
    try {
      result = serve(task, call, arguments);
    } finally {
      if (counts != null) {
        counts.add(call.name(), result, System.nanoTime() - begun);
      }
    }
    return result;
  }

  private long serve(Task task, SystemCall call, Arguments arguments) {
    long result;
    try {
      result = call.handler().serve(task, arguments);
    } catch (ErrnoException e) {
      result = -e.errno().number();
    } catch (InterruptedCallException e) {
      if (strace != null) {
        strace.interrupted(task, call, arguments);
      }
      throw e;
    }
    if (strace != null) {
      strace.call(task, call, arguments, result);
    }
    return result;
  }

  /** The names of all calls in the table. */
  SortedSet<String> names() {
    return calls.values().stream()
        .map(SystemCall::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private SystemCall known(Trap.SystemCall trap) {
    return switch (trap.abi()) {
      case X86_64, VSYSCALL -> calls.get(trap.number());
      case X32, I386 -> null;
    };
  }

  private long refuse(Task task, Trap.SystemCall trap, Arguments arguments) {
    String name =
        trap.abi() == SystemCallAbi.X86_64 || trap.abi() == SystemCallAbi.VSYSCALL
            ? SystemCallNames.name(trap.number())
            : trap.abi() + " call " + trap.number();
    if (complained.add(name)) {
      diagnostics.accept("the program made a system call that this kernel does not have: " + name);
    }
    long result = -Errno.ENOSYS.number();
    if (strace != null) {
      strace.unknown(task, name, arguments, result);
    }
    return result;
  }
}
