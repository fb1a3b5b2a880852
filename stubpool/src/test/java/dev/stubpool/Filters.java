package dev.stubpool;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.HostText;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Filters for a whole child JVM, which it cannot get rid of. */
final class Filters {
  private static final int SECCOMP_SET_MODE_FILTER = 1;
  private static final int SECCOMP_FILTER_FLAG_TSYNC = 1;

  private Filters() {}

  /** Makes a system call fail, in all threads and all children to come. */
  static void deny(int number, int errno) {
    answer(number, SeccompAction.errno(errno));
  }

  /** Makes a call of some first arguments fail, in all threads and all children to come. */
  static void deny(int number, int errno, Condition... conditions) {
    install(allowing().rule(number, SeccompAction.errno(errno), conditions).build());
  }

  /** Answers a system call, in all threads and all children to come. */
  static void answer(int number, SeccompAction action) {
    install(allowing().rule(number, action).build());
  }

  private static SeccompPolicy.Builder allowing() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(SeccompAction.ALLOW)
        .badArchitectureAction(SeccompAction.ALLOW);
  }

  private static void install(SeccompPolicy policy) {
    HostText.get();
    byte[] program = SeccompCompiler.compile(policy).toBytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment instructions = arena.allocateFrom(ValueLayout.JAVA_BYTE, program);
      MemorySegment header = arena.allocate(16, 8); // struct sock_fprog
      header.set(ValueLayout.JAVA_SHORT, 0, (short) (program.length / 8));
      header.set(ValueLayout.JAVA_LONG, 8, instructions.address());
      if (Kernel.call(Abi.SYS_prctl, Abi.PR_SET_NO_NEW_PRIVS, 1, 0, 0) != 0) {
        throw new AssertionError("no_new_privs");
      }
      long result =
          Kernel.call(
              Abi.SYS_seccomp,
              SECCOMP_SET_MODE_FILTER,
              SECCOMP_FILTER_FLAG_TSYNC,
              header.address());
      if (result != 0) {
        throw new AssertionError("seccomp: " + result);
      }
    }
  }
}
