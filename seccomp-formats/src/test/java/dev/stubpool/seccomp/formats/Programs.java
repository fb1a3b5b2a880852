package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import java.util.Map;

/** What the compiler makes of a policy. */
final class Programs {
  private Programs() {}

  static Map<String, BpfProgram> ofEveryMode(SeccompPolicy policy) {
    return Map.of("the compiler", SeccompCompiler.compile(policy));
  }
}
