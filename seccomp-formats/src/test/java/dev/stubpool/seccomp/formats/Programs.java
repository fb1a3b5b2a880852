package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.compiler.CompilerOptions;
import dev.stubpool.seccomp.compiler.Optimization;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the compiler makes of a policy. */
final class Programs {
  private Programs() {}

  static Map<String, BpfProgram> ofEveryMode(SeccompPolicy policy) {
    Map<String, BpfProgram> programs = new LinkedHashMap<>();
    for (Optimization mode : Optimization.values()) {
      programs.put(
          mode.toString(), SeccompCompiler.compile(policy, CompilerOptions.of(mode)).program());
    }
    return programs;
  }
}
