package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompPolicy;
import java.util.List;
import java.util.Optional;

/**
 * A policy that was read from a text, with the text's further settings.
 *
 * @param policy the policy
 * @param warnings parts of the text that have no effect, or perhaps an unintended one; in order of
 *     location
 * @param flags the flags of seccomp(2) with which to install the filter, such as {@code
 *     SECCOMP_FILTER_FLAG_LOG}; in order of the text
 * @param listenerPath the path of the socket to which to send the listener's descriptor, if the
 *     text names one
 * @param listenerMetadata the data to send with it, if the text has them
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
