package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import java.util.Set;

/**
 * The environment for which a policy is loaded; parts of profiles depend on it.
 *
 * @param file the name of the text in messages, such as its path
 * @param architecture the native architecture, which the policy always includes
 * @param capabilities the capabilities of the process, such as {@code CAP_SYS_ADMIN}
 * @param kernel the version of the kernel
 */
public record LoadContext(
    String file, Architecture architecture, Set<String> capabilities, KernelVersion kernel) {

  /** x86-64, no capabilities, and a kernel newer than all others. */
  public static final LoadContext DEFAULT =
      new LoadContext(
          "policy",
          Architecture.X86_64,
          Set.of(),
          new KernelVersion(Integer.MAX_VALUE, Integer.MAX_VALUE));

  /** Copies the capabilities. */
  public LoadContext {
    capabilities = Set.copyOf(capabilities);
  }

  /**
   * Returns the context with another name of the text.
   *
   * @param newFile the name of the text in messages
   * @return the context
   */
  public LoadContext withFile(String newFile) {
    return new LoadContext(newFile, architecture, capabilities, kernel);
  }

  /**
   * Returns the context with another native architecture.
   *
   * @param newArchitecture the native architecture
   * @return the context
   */
  public LoadContext withArchitecture(Architecture newArchitecture) {
    return new LoadContext(file, newArchitecture, capabilities, kernel);
  }

  /**
   * Returns the context with other capabilities.
   *
   * @param newCapabilities all capabilities of the process, by their names in capabilities(7)
   * @return the context
   */
  public LoadContext withCapabilities(Set<String> newCapabilities) {
    return new LoadContext(file, architecture, newCapabilities, kernel);
  }

  /**
   * Returns the context with another kernel.
   *
   * @param newKernel the kernel's version
   * @return the context
   */
  public LoadContext withKernel(KernelVersion newKernel) {
    return new LoadContext(file, architecture, capabilities, newKernel);
  }
}
