package dev.stubpool.diagnose;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.StatusFields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Advice for error messages when the kernel refuses this process to trace its child or to copy the
 * child's memory: the reason, and what to change. See ptrace(2), "Ptrace access mode checking".
 */
public final class PtraceAdvice {
  /**
   * The value of kernel.yama.ptrace_scope that allows tracing only with CAP_SYS_PTRACE. 1 allows it
   * to parents too, 3 to no process.
   */
  private static final int YAMA_ADMIN_ONLY = 2;

  private static final long CAP_SYS_PTRACE = 1L << 19;

  private final Path proc;
  private final Path security;

  PtraceAdvice(Path proc, Path security) {
    this.proc = proc;
    this.security = security;
  }

  private static PtraceAdvice ofThisMachine() {
    return new PtraceAdvice(Path.of("/proc"), Path.of("/sys/kernel/security"));
  }

  /** What to do when PTRACE_SEIZE of a child failed with {@code errno}, or "". */
  public static String onSeizing(int child, int errno) {
    return isDenial(errno)
        ? ofThisMachine().onSeizing(child, PtraceCalls.probe() != -Errno.ESRCH)
        : "";
  }

  /**
   * What to do when a copy of a stub's memory failed, or "".
   *
   * @param call process_vm_readv or process_vm_writev
   */
  public static String onCopying(String call, int errno) {
    if (!isDenial(errno)) {
      return "";
    }
    boolean reads = call.equals("process_vm_readv");
    boolean filtered = (reads ? MemoryCalls.probeRead() : MemoryCalls.probeWrite()) < 0;
    return ofThisMachine().onCopying(call, filtered);
  }

  private static boolean isDenial(int errno) {
    return errno == Errno.EPERM || errno == Errno.EACCES || errno == Errno.ENOSYS;
  }

  /**
   * A process has at most one tracer. A tracer of this JVM that follows its children, such as
   * strace -f, already traces the child.
   *
   * @param filtered whether a seccomp filter refuses ptrace(2)
   */
  String onSeizing(int child, boolean filtered) {
    int tracer = tracerOf(child);
    if (tracer != 0) {
      String name = read(proc.resolve(tracer + "/comm"));
      return "process "
          + tracer
          + (name.isEmpty() ? "" : " (" + name + ")")
          + " traces it already: run the JVM without that tracer, or have it leave children alone"
          + " (strace without -f, gdb with detach-on-fork on)";
    }
    return filtered ? filterForbids("ptrace") : accessDenied();
  }

  String onCopying(String call, boolean filtered) {
    return filtered ? filterForbids(call) : accessDenied();
  }

  private static String filterForbids(String call) {
    return "a seccomp filter of this process forbids it: let "
        + call
        + "(2) through in the container's profile (docker run --cap-add SYS_PTRACE or"
        + " --security-opt seccomp=...)";
  }

  /** The first reason that /proc and /sys show: Yama, a JVM that is not dumpable, or an LSM. */
  private String accessDenied() {
    Optional<StatusFields> status = ownStatus();
    String yama = read(proc.resolve("sys/kernel/yama/ptrace_scope"));
    int scope = yama.isEmpty() ? 0 : Integer.parseInt(yama);
    boolean capable = status.filter(PtraceAdvice::maySeizeAnything).isPresent();
    if (scope > YAMA_ADMIN_ONLY || (scope == YAMA_ADMIN_ONLY && !capable)) {
      return "Yama forbids it (kernel.yama.ptrace_scope is "
          + yama
          + "): sysctl -w kernel.yama.ptrace_scope=1"
          + (scope == YAMA_ADMIN_ONLY
              ? ", or give the JVM CAP_SYS_PTRACE"
              : "; 3 cannot be lowered: set it in /etc/sysctl.d and reboot");
    }
    if (isRootOwned(proc.resolve("self/mem")) && !isRoot(status)) {
      return "this JVM is not dumpable (set-user-ID, file capabilities on the java binary, or"
          + " PR_SET_DUMPABLE), so its stubs are not either: remove the file capabilities";
    }
    String modules = read(security.resolve("lsm"));
    return "a security module ("
        + (modules.isEmpty() ? "unknown" : modules)
        + ") forbids it: see its audit log; or a tracer outside of this pid namespace has the"
        + " process already";
  }

  private static boolean isRootOwned(Path path) {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(path, "unix:uid"));
    } catch (IOException e) {
      return false;
    }
  }

  private int tracerOf(int pid) {
    try {
      return new ProcFs(proc).fields(pid).map(StatusFields::tracer).orElse(0);
    } catch (IOException e) {
      return 0; // absent: that reason does not apply
    }
  }

  private Optional<StatusFields> ownStatus() {
    try {
      return Optional.of(new ProcFs(proc).ownFields());
    } catch (IOException e) {
      return Optional.empty(); // absent: reasons that it would show do not apply
    }
  }

  private static boolean maySeizeAnything(StatusFields status) {
    return (status.capabilities().getOrDefault("effective", 0L) & CAP_SYS_PTRACE) != 0;
  }

  /** Root's files in /proc are root's, dumpable or not. An unknown user counts as root. */
  private static boolean isRoot(Optional<StatusFields> status) {
    return status.flatMap(StatusFields::user).filter(user -> user != 0).isEmpty();
  }

  private static String read(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (IOException e) {
      return ""; // the file does not exist, so this reason does not apply
    }
  }
}
