package dev.stubpool.trace;

import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.nativestubs.PtraceCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why this process was refused to trace its own child or to copy its memory, and what to change.
 * ptrace(2), "Ptrace access mode checking".
 */
public final class PtraceAdvice {
  /** Yama's setting that lets only CAP_SYS_PTRACE trace; 1 lets a parent, 3 nobody. */
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

  /** What to do when the seizure of a child failed, or "". */
  static String onSeizing(int child, int errno) {
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

  /** A child has one tracer at most; who traces this JVM and its children to be has it already. */
  String onSeizing(int child, boolean filtered) {
    int tracer = (int) number(read(proc.resolve(child + "/status")), "TracerPid", 10);
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

  /** The first reason that the file trees show. */
  private String accessDenied() {
    String status = read(proc.resolve("self/status"));
    String yama = read(proc.resolve("sys/kernel/yama/ptrace_scope"));
    int scope = yama.isEmpty() ? 0 : Integer.parseInt(yama);
    boolean capable = (number(status, "CapEff", 16) & CAP_SYS_PTRACE) != 0;
    if (scope > YAMA_ADMIN_ONLY || (scope == YAMA_ADMIN_ONLY && !capable)) {
      return "Yama forbids it (kernel.yama.ptrace_scope is "
          + yama
          + "): sysctl -w kernel.yama.ptrace_scope=1"
          + (scope == YAMA_ADMIN_ONLY
              ? ", or give the JVM CAP_SYS_PTRACE"
              : ", which takes a reboot if it is 3");
    }
    if (isRootOwned(proc.resolve("self/mem")) && number(status, "Uid", 10) != 0) {
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

  /** The first number of a field of /proc/PID/status, 0 if there is none. */
  private static long number(String status, String field, int radix) {
    Matcher matcher = Pattern.compile("(?m)^" + field + ":\\s*([0-9a-f]+)").matcher(status);
    return matcher.find() ? Long.parseUnsignedLong(matcher.group(1), radix) : 0;
  }

  private static String read(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (IOException e) {
      return ""; // absent: that reason does not apply
    }
  }
}
