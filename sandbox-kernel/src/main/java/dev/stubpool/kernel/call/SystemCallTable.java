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
import dev.stubpool.kernel.abi.SystemCallNames;
import dev.stubpool.kernel.task.Task;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** All system calls that the kernel has, by number. */
public final class SystemCallTable {
  /** Those that every libc tries and does without: not worth a word. */
  private static final String[] EXPECTED = {
    "rseq",
    "clone3",
    "mremap",
    "sendfile",
    "pidfd_open",
    "pidfd_send_signal",
    "pidfd_getfd",
    "waitid",
  };

  /** All that would change a name or a file. */
  private static final SystemCall.Handler READ_ONLY = always(Errno.EROFS);

  private final Map<Integer, SystemCall> calls = new HashMap<>();
  private final Set<String> complained = new HashSet<>();
  private final Consumer<String> diagnostics;
  private final Strace strace;

  /**
   * Makes the table.
   *
   * @param diagnostics who is told of calls that the kernel does not have, once each
   * @param strace who prints the calls; null for nobody
   */
  public SystemCallTable(Consumer<String> diagnostics, Strace strace) {
    this.diagnostics = diagnostics;
    this.strace = strace;
    addFiles();
    addPaths();
    addChanges();
    addMemory();
    addProcesses();
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
    add("read", FileCalls::read, INTEGER, DATA_OUT, NUMBER);
    add("pread64", FileCalls::pread, INTEGER, DATA_OUT, NUMBER, NUMBER);
    add("readv", FileCalls::readv, INTEGER, ADDRESS, INTEGER);
    add("write", FileCalls::write, INTEGER, DATA_IN, NUMBER);
    add("writev", FileCalls::writev, INTEGER, ADDRESS, INTEGER);
    add("lseek", FileCalls::lseek, INTEGER, NUMBER, INTEGER);
    add("getdents64", FileCalls::getdents, INTEGER, ADDRESS, NUMBER);
    add("close", FileCalls::close, INTEGER);
    add("dup", FileCalls::dup, INTEGER);
    add("dup2", FileCalls::dup2, INTEGER, INTEGER);
    add("dup3", FileCalls::dup3, INTEGER, INTEGER, HEX);
    add("fcntl", FileCalls::fcntl, INTEGER, INTEGER, HEX);
    add("ioctl", FileCalls::ioctl, INTEGER, HEX, ADDRESS);
  }

  private void addPaths() {
    add("open", PathCalls::open, STRING, OPEN_FLAGS, CREATION_MODE);
    add("openat", PathCalls::openat, DIRECTORY, STRING, OPEN_FLAGS, CREATION_MODE);
    add("stat", PathCalls::stat, STRING, ADDRESS);
    add("lstat", PathCalls::lstat, STRING, ADDRESS);
    add("fstat", PathCalls::fstat, INTEGER, ADDRESS);
    add("newfstatat", PathCalls::newfstatat, DIRECTORY, STRING, ADDRESS, HEX);
    add("access", PathCalls::access, STRING, INTEGER);
    add("faccessat", PathCalls::faccessat, DIRECTORY, STRING, INTEGER);
    add("faccessat2", PathCalls::faccessat2, DIRECTORY, STRING, INTEGER, HEX);
    add("readlink", PathCalls::readlink, STRING, DATA_OUT, NUMBER);
    add("readlinkat", PathCalls::readlinkat, DIRECTORY, STRING, DATA_OUT, NUMBER);
    add("getcwd", PathCalls::getcwd, STRING, NUMBER);
    add("chdir", PathCalls::chdir, STRING);
    add("fchdir", PathCalls::fchdir, INTEGER);
  }

  private void addChanges() {
    add("creat", READ_ONLY, STRING, MODE);
    add("truncate", READ_ONLY, STRING, NUMBER);
    add("rename", READ_ONLY, STRING, STRING);
    add("renameat", READ_ONLY, DIRECTORY, STRING, DIRECTORY, STRING);
    add("renameat2", READ_ONLY, DIRECTORY, STRING, DIRECTORY, STRING, HEX);
    add("mkdir", READ_ONLY, STRING, MODE);
    add("mkdirat", READ_ONLY, DIRECTORY, STRING, MODE);
    add("mknod", READ_ONLY, STRING, MODE, HEX);
    add("mknodat", READ_ONLY, DIRECTORY, STRING, MODE, HEX);
    add("rmdir", READ_ONLY, STRING);
    add("link", READ_ONLY, STRING, STRING);
    add("linkat", READ_ONLY, DIRECTORY, STRING, DIRECTORY, STRING, HEX);
    add("unlink", READ_ONLY, STRING);
    add("unlinkat", READ_ONLY, DIRECTORY, STRING, HEX);
    add("symlink", READ_ONLY, STRING, STRING);
    add("symlinkat", READ_ONLY, STRING, DIRECTORY, STRING);
    add("chmod", READ_ONLY, STRING, MODE);
    add("fchmod", READ_ONLY, INTEGER, MODE);
    add("fchmodat", READ_ONLY, DIRECTORY, STRING, MODE);
    add("chown", READ_ONLY, STRING, INTEGER, INTEGER);
    add("lchown", READ_ONLY, STRING, INTEGER, INTEGER);
    add("fchown", READ_ONLY, INTEGER, INTEGER, INTEGER);
    add("fchownat", READ_ONLY, DIRECTORY, STRING, INTEGER, INTEGER, HEX);
    add("utime", READ_ONLY, STRING, ADDRESS);
    add("utimes", READ_ONLY, STRING, ADDRESS);
    add("utimensat", READ_ONLY, DIRECTORY, STRING, ADDRESS, HEX);
  }

  private void addMemory() {
    addAddress("brk", MemoryCalls::brk, ADDRESS);
    addAddress("mmap", MemoryCalls::mmap, ADDRESS, NUMBER, PROTECTION, MAP_FLAGS, INTEGER, HEX);
    add("munmap", MemoryCalls::munmap, ADDRESS, NUMBER);
    add("mprotect", MemoryCalls::mprotect, ADDRESS, NUMBER, PROTECTION);
    add("madvise", MemoryCalls::madvise, ADDRESS, NUMBER, INTEGER);
  }

  private void addProcesses() {
    add("exit", ProcessCalls::exit, INTEGER);
    add("exit_group", ProcessCalls::exit, INTEGER);
    add("arch_prctl", ProcessCalls::archPrctl, HEX, ADDRESS);
    add("set_tid_address", ProcessCalls::setTidAddress, ADDRESS);
    add("set_robust_list", ProcessCalls::setRobustList, ADDRESS, NUMBER);
    add("getpid", ProcessCalls::getpid);
    add("getpgrp", ProcessCalls::getpid);
    add("getpgid", ProcessCalls::getpid, INTEGER);
    add("getsid", ProcessCalls::getpid, INTEGER);
    add("gettid", ProcessCalls::gettid);
    add("getppid", ProcessCalls::getppid);
    add("getuid", ProcessCalls::getuid);
    add("geteuid", ProcessCalls::getuid);
    add("getgid", ProcessCalls::getgid);
    add("getegid", ProcessCalls::getgid);
    add("getgroups", ProcessCalls::getgroups, INTEGER, ADDRESS);
    add("getresuid", ProcessCalls::getresuid, ADDRESS, ADDRESS, ADDRESS);
    add("getresgid", ProcessCalls::getresgid, ADDRESS, ADDRESS, ADDRESS);
    add("prlimit64", ProcessCalls::prlimit, INTEGER, INTEGER, ADDRESS, ADDRESS);
    add("getrlimit", ProcessCalls::getrlimit, INTEGER, ADDRESS);
    add("setrlimit", ProcessCalls::setrlimit, INTEGER, ADDRESS);
    add("getrandom", ProcessCalls::getrandom, DATA_OUT, NUMBER, HEX);
    add("uname", ProcessCalls::uname, ADDRESS);
  }

  private void addSignals() {
    add("rt_sigaction", SignalCalls::sigaction, SIGNAL, ADDRESS, ADDRESS, NUMBER);
    add("rt_sigprocmask", SignalCalls::sigprocmask, INTEGER, ADDRESS, ADDRESS, NUMBER);
    add("sigaltstack", SignalCalls::sigaltstack, ADDRESS, ADDRESS);
    add("kill", SignalCalls::kill, INTEGER, SIGNAL);
    add("tkill", SignalCalls::tkill, INTEGER, SIGNAL);
    add("tgkill", SignalCalls::tgkill, INTEGER, INTEGER, SIGNAL);
  }

  private void addTime() {
    add("clock_gettime", TimeCalls::clockGettime, INTEGER, ADDRESS);
    add("clock_getres", TimeCalls::clockGetres, INTEGER, ADDRESS);
    add("gettimeofday", TimeCalls::gettimeofday, ADDRESS, ADDRESS);
    add("time", TimeCalls::time, ADDRESS);
    add("nanosleep", TimeCalls::nanosleep, ADDRESS, ADDRESS);
    add("clock_nanosleep", TimeCalls::clockNanosleep, INTEGER, INTEGER, ADDRESS, ADDRESS);
    add("poll", TimeCalls::poll, ADDRESS, INTEGER, INTEGER);
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

  /** Serves a call; what the guest gets. */
  public long serve(Task task, Trap.SystemCall trap) {
    Arguments arguments = new Arguments(task.memory(), trap.arguments());
    SystemCall call = known(trap);
    if (call == null) {
      return refuse(trap, arguments);
    }
    long result;
    try {
      result = call.handler().serve(task, arguments);
    } catch (ErrnoException e) {
      result = -e.errno().number();
    }
    if (strace != null) {
      strace.call(task, call, arguments, result);
    }
    return result;
  }

  private SystemCall known(Trap.SystemCall trap) {
    return switch (trap.abi()) {
      case X86_64, VSYSCALL -> calls.get(trap.number());
      case X32, I386 -> null;
    };
  }

  private long refuse(Trap.SystemCall trap, Arguments arguments) {
    String name =
        trap.abi() == SystemCallAbi.X86_64 || trap.abi() == SystemCallAbi.VSYSCALL
            ? SystemCallNames.name(trap.number())
            : trap.abi() + " call " + trap.number();
    if (complained.add(name)) {
      diagnostics.accept("the program made a system call that this kernel does not have: " + name);
    }
    long result = -Errno.ENOSYS.number();
    if (strace != null) {
      strace.unknown(name, arguments, result);
    }
    return result;
  }
}
