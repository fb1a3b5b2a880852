/** A small kernel for static Linux programs; see {@link dev.stubpool.kernel.SandboxKernel}. */
module dev.stubpool.kernel {
  requires transitive dev.stubpool;

  exports dev.stubpool.kernel;
}
