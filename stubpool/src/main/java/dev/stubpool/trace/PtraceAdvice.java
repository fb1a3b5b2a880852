package dev.stubpool.trace;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Why the kernel may have refused to let this process trace its own child, and what to change.
 * ptrace(2), "Ptrace access mode checking".
 */
final class PtraceAdvice {
  /**
   * Yama's settings that stop a process from tracing even its descendants; 1 allows that. Linux
   * admin guide, Yama.
   */
  private static final int YAMA_ADMIN_ONLY = 2;

  private PtraceAdvice() {}

  static String text() {
    return text(Path.of("/proc"), Path.of("/sys/kernel/security"));
  }

  /** The first reason that these file trees show. */
  static String text(Path proc, Path security) {
    String yama = read(proc.resolve("sys/kernel/yama/ptrace_scope"));
    if (!yama.isEmpty() && Integer.parseInt(yama) >= YAMA_ADMIN_ONLY) {
      return "Yama forbids it (kernel.yama.ptrace_scope is "
          + yama
          + "): sysctl -w kernel.yama.ptrace_scope=1, or give the JVM CAP_SYS_PTRACE";
    }
    String status = read(proc.resolve("self/status"));
    if (status.contains("\nSeccomp:\t2")) {
      return "a seccomp filter of this process forbids it: let ptrace(2) through in the container's"
          + " profile (docker run --cap-add SYS_PTRACE or --security-opt seccomp=...)";
    }
    if (isRootOwned(proc.resolve("self/mem")) && !status.contains("\nUid:\t0\t")) {
      return "this JVM is not dumpable (set-user-ID, file capabilities on the java binary, or"
          + " PR_SET_DUMPABLE), so its stubs are not either: remove the file capabilities";
    }
    String modules = read(security.resolve("lsm"));
    return "a security module ("
        + (modules.isEmpty() ? "unknown" : modules)
        + ") forbids it: see its audit log";
  }

  private static boolean isRootOwned(Path path) {
    try {
      return Integer.valueOf(0).equals(Files.getAttribute(path, "unix:uid"));
    } catch (IOException e) {
      return false;
    }
  }

  private static String read(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (IOException e) {
      return ""; // absent: that reason does not apply
    }
  }
}
