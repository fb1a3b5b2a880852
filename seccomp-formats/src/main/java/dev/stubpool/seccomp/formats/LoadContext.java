package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import java.util.Set;

/**
 * What a policy is loaded for: profiles have parts that depend on it.
 *
 * @param file what messages call the text, such as its path
 * @param architecture the native architecture; the policy always has it
 * @param capabilities the capabilities of the process, such as {@code CAP_SYS_ADMIN}
 * @param kernel the version of the kernel that it runs on
 */
public record LoadContext(
    String file, Architecture architecture, Set<String> capabilities, KernelVersion kernel) {

  /** x86-64, no capability, the newest kernel that there can be. */
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
   * The same with another name of the text.
   *
   * @param newFile what messages call the text
   * @return the context
   */
  public LoadContext withFile(String newFile) {
    return new LoadContext(newFile, architecture, capabilities, kernel);
  }

  /**
   * The same with another native architecture.
   *
   * @param newArchitecture the native architecture
   * @return the context
   */
  public LoadContext withArchitecture(Architecture newArchitecture) {
    return new LoadContext(file, newArchitecture, capabilities, kernel);
  }

  /**
   * The same with other capabilities.
   *
   * @param newCapabilities all that the process has, in the names of capabilities(7)
   * @return the context
   */
  public LoadContext withCapabilities(Set<String> newCapabilities) {
    return new LoadContext(file, architecture, newCapabilities, kernel);
  }

  /**
   * The same with another kernel.
   *
   * @param newKernel its version
   * @return the context
   */
  public LoadContext withKernel(KernelVersion newKernel) {
    return new LoadContext(file, architecture, capabilities, newKernel);
  }
}
