/**
 * Seccomp filters in pure Java: compiles policies to classic BPF, and verifies, simulates and
 * analyses programs.
 *
 * <p>Nothing here calls the kernel; its behaviour is computed.
 */
module dev.stubpool.seccomp {
  exports dev.stubpool.seccomp;
  exports dev.stubpool.seccomp.audit;
  exports dev.stubpool.seccomp.bpf;
  exports dev.stubpool.seccomp.compiler;
  exports dev.stubpool.seccomp.proof;
}
