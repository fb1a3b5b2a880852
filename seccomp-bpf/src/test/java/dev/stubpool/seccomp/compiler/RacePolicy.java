package dev.stubpool.seccomp.compiler;

import static dev.stubpool.seccomp.Condition.argument;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;

/** The rule list that all toolchains are compared with: that of another sandbox's stubs. */
final class RacePolicy {

  private static final int CLONE_VM = 0x100;
  private static final int CLONE_FS = 0x200;
  private static final int CLONE_FILES = 0x400;
  private static final int CLONE_SIGHAND = 0x800;
  private static final int CLONE_PTRACE = 0x2000;
  private static final int CLONE_PARENT = 0x8000;
  private static final int CLONE_THREAD = 0x10000;
  private static final int SIGKILL = 9;
  private static final int SIGCHLD = 17;
  private static final int SIGSTOP = 19;
  private static final int PR_SET_PDEATHSIG = 1;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int FUTEX_WAIT = 0;
  private static final int FUTEX_WAKE = 1;
  private static final int SECCOMP_SET_MODE_FILTER = 1;
  private static final int ARCH_SET_CPUID = 0x1012;

  static final long[] CLONE_FLAGS = {
    CLONE_FILES | CLONE_PARENT | SIGCHLD,
    CLONE_FILES | SIGCHLD,
    CLONE_FILES | CLONE_FS | CLONE_VM | CLONE_PTRACE | SIGKILL,
    CLONE_FILES | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_PTRACE | CLONE_VM
  };

  private RacePolicy() {}

  static SeccompPolicy policy() {
    SeccompPolicy.Builder policy =
        SeccompPolicy.builder(Architecture.X86_64)
            .defaultAction(SeccompAction.TRAP)
            .badArchitectureAction(SeccompAction.TRAP);
    for (String call : new String[] {"gettimeofday", "time", "getcpu"}) {
      policy.rule(call, SeccompAction.TRAP);
    }
    for (long flags : CLONE_FLAGS) {
      policy.allow("clone", argument(0).equalTo(flags));
    }
    return policy
        .allow("wait4")
        .allow("exit")
        .allow("prctl", argument(0).equalTo(PR_SET_PDEATHSIG), argument(1).equalTo(SIGKILL))
        .allow("prctl", argument(0).equalTo(PR_SET_NO_NEW_PRIVS), argument(1).equalTo(1))
        .allow("getppid")
        .allow("getpid")
        .allow("kill", argument(1).equalTo(SIGSTOP))
        .allow("mmap")
        .allow("munmap")
        .allow("rt_sigreturn")
        .allow("sched_yield")
        .allow("futex", argument(1).equalTo(FUTEX_WAIT))
        .allow("futex", argument(1).equalTo(FUTEX_WAKE))
        .allow("sigaltstack")
        .allow("tkill", argument(1).equalTo(SIGSTOP))
        .allow("gettid")
        .allow("seccomp", argument(0).equalTo(SECCOMP_SET_MODE_FILTER), argument(1).equalTo(0))
        .allow("arch_prctl", argument(0).equalTo(ARCH_SET_CPUID), argument(1).equalTo(0))
        .build();
  }

  /** One allowed call for each alternative of a rule that looks at arguments. */
  static long[][] slowCalls() {
    return new long[][] {
      {56, CLONE_FLAGS[0]},
      {56, CLONE_FLAGS[1]},
      {56, CLONE_FLAGS[2]},
      {56, CLONE_FLAGS[3]},
      {157, PR_SET_PDEATHSIG, SIGKILL},
      {157, PR_SET_NO_NEW_PRIVS, 1},
      {62, 1, SIGSTOP},
      {202, 0, FUTEX_WAIT},
      {202, 0, FUTEX_WAKE},
      {200, 1, SIGSTOP},
      {317, SECCOMP_SET_MODE_FILTER, 0},
      {158, ARCH_SET_CPUID, 0}
    };
  }
}
