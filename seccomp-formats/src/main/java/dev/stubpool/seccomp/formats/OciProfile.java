package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompPolicy;

/**
 * Reads and writes the JSON seccomp profiles of container runtimes: the object {@code
 * linux.seccomp} of the OCI runtime specification, with the extensions of Docker's profiles ({@code
 * archMap}, {@code name}, {@code includes}, {@code excludes}, {@code comment}).
 *
 * <p>The meaning of a profile is that of the filter that Docker, runc and libseccomp build from it:
 *
 * <ul>
 *   <li>The architectures are the native one and those that {@code architectures} lists, or those
 *       that {@code archMap} lists for the native one. Calls of other architectures kill the
 *       thread.
 *   <li>ERRNO and TRACE without {@code errnoRet}, and the default action without {@code
 *       defaultErrnoRet}, use EPERM. KILL is KILL_THREAD. Other actions have no data.
 *   <li>All arguments of an entry must match; entries for one call are alternatives. If two
 *       arguments of an entry have the same index, each argument of that entry becomes a separate
 *       entry. Comparisons are unsigned and of 64 bits; on x86, x32 and 32-bit Arm, of the low 32
 *       bits.
 *   <li>Entries with the default action have no effect. An entry without arguments takes precedence
 *       over entries of that call with arguments. If several entries with different actions match,
 *       their order in the text does not matter: precedence has the entry with the greater last
 *       argument index, then EQ, NE and MASKED_EQ before LT and LE before GT and GE, then the
 *       greater value, for LT and LE the smaller one. Two entries with the same arguments and
 *       different actions are an error.
 *   <li>Names are looked up on each architecture; the entry has no effect on an architecture
 *       without such a call. A number is the native architecture's, decimal or hexadecimal; runc
 *       does not support numbers.
 *   <li>On x86, socket calls and System V IPC are also made through {@code socketcall} and {@code
 *       ipc}: entries for them cover both. A filter cannot see the arguments of the inner call
 *       there, only its number: an entry's condition on the first argument is ignored, and
 *       conditions on other arguments are applied to those of {@code socketcall} or {@code ipc}
 *       itself.
 * </ul>
 *
 * <p>runc additionally returns ENOSYS for calls that are newer than all calls that the profile
 * names. This is not modelled here.
 */
public final class OciProfile {

  /** The limit for the length of a text, in UTF-16 units. */
  public static final int MAX_LENGTH = 1 << 24;

  private OciProfile() {}

  /**
   * Reads a profile.
   *
   * @param text the JSON, at most {@value #MAX_LENGTH} UTF-16 units
   * @param context the environment
   * @return the policy, and warnings about unknown names and other parts without effect
   * @throws FormatException if the text is malformed: invalid JSON, a wrong type or value, two
   *     members with one name, or entries that contradict each other
   */
  public static LoadedPolicy parse(String text, LoadContext context) {
    if (text.length() > MAX_LENGTH) {
      throw new FormatException(
          new Location(context.file(), 1, 1),
          "the text has %d characters, more than %d".formatted(text.length(), MAX_LENGTH));
    }
    return new OciReader(context).read(Json.parse(text, context.file()));
  }

  /**
   * Writes a policy as a profile. {@link #parse} reads an equivalent policy from it if the native
   * architecture is the policy's first one.
   *
   * <p>Rules are split into alternatives of comparisons whose order does not matter; a range or a
   * signed comparison becomes up to 126 entries.
   *
   * @param policy the policy; its bad architecture action must be KILL_THREAD, the only one in OCI
   * @return the JSON, indented
   * @throws IllegalArgumentException if a rule cannot be expressed; the message names it. OCI has
   *     no conditions on the instruction pointer or on two arguments, no SIGSYS with data, no calls
   *     without a name, and no rules that differ between architectures
   */
  public static String write(SeccompPolicy policy) {
    return new OciWriter(policy).write();
  }
}
