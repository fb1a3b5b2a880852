/**
 * Seccomp filters in pure Java: policy to classic BPF, and from a program to the kernel's verdict.
 *
 * <p>Nothing here calls the kernel. What a program would do there is computed.
 */
module dev.stubpool.seccomp {
  exports dev.stubpool.seccomp;
  exports dev.stubpool.seccomp.audit;
  exports dev.stubpool.seccomp.bpf;
  exports dev.stubpool.seccomp.compiler;
  exports dev.stubpool.seccomp.proof;
}
