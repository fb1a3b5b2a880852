package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompPolicy;
import java.util.List;
import java.util.Optional;

/**
 * A policy that was read from a text, and what else the text says.
 *
 * @param policy the policy
 * @param warnings what has no effect, or perhaps another one than was meant; in order of the text
 * @param flags the flags of seccomp(2) to install the filter with, such as {@code
 *     SECCOMP_FILTER_FLAG_LOG}; in order, as the text has them
 * @param listenerPath the socket to send the listener's descriptor to, if the text names one
 * @param listenerMetadata what to send with it, if the text has it
 */
public record LoadedPolicy(
    SeccompPolicy policy,
    List<FormatWarning> warnings,
    List<String> flags,
    Optional<String> listenerPath,
    Optional<String> listenerMetadata) {

  /** Copies the lists. */
  public LoadedPolicy {
    warnings = List.copyOf(warnings);
    flags = List.copyOf(flags);
  }
}
