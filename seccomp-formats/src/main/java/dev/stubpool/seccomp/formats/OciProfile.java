package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompPolicy;

/**
 * The JSON of container runtimes: the object {@code linux.seccomp} of the OCI runtime
 * specification, and what Docker's profiles have beyond it ({@code archMap}, {@code name}, {@code
 * includes}, {@code excludes}, {@code comment}).
 *
 * <p>A profile means what the filter does that Docker, runc and libseccomp make of it:
 *
 * <ul>
 *   <li>The architectures are the native one and those that {@code architectures} lists, or those
 *       that {@code archMap} lists for the native one. Calls of others kill the thread.
 *   <li>ERRNO and TRACE without {@code errnoRet} have EPERM, as has the default action without
 *       {@code defaultErrnoRet}. KILL is KILL_THREAD. Other actions have no data.
 *   <li>Arguments of one entry must all match, entries for one call are alternatives. If two
 *       arguments of one entry have the same index, each of them is an entry of its own, those with
 *       another index too. Comparisons are unsigned and look at 64 bits, on x86, x32 and 32-bit Arm
 *       at the low 32.
 *   <li>Entries with the default action have no effect. Among others, an entry without arguments
 *       beats all entries of that call with arguments. Of several with different actions that
 *       match, the order of the text does not tell which one answers: an entry whose arguments have
 *       the greater last index does, then EQ, NE and MASKED_EQ before LT and LE before GT and GE,
 *       then the greater value, with LT and LE the smaller one. Two entries with the same arguments
 *       and different actions are an error.
 *   <li>Names are looked up on each architecture; where there is no such call, the entry has no
 *       effect. A number is the native architecture's, decimal or hexadecimal; runc knows none.
 *   <li>On x86, socket calls and System V IPC are also made through {@code socketcall} and {@code
 *       ipc}: entries for them cover both ways, but through these no argument other than the number
 *       of the inner call can be seen, so that what an entry says about the first one is ignored
 *       and what it says about others is compared with {@code socketcall}'s.
 * </ul>
 *
 * <p>runc puts before all of it an ENOSYS for calls that are newer than all that the profile names.
 * That is no part of the profile's meaning here.
 */
public final class OciProfile {

  /** The longest text that is read, in UTF-16 units. */
  public static final int MAX_LENGTH = 1 << 24;

  private OciProfile() {}

  /**
   * Reads a profile.
   *
   * @param text the JSON, at most {@value #MAX_LENGTH} UTF-16 units
   * @param context what it is loaded for
   * @return the policy, and warnings about unknown names and what else has no effect
   * @throws FormatException if it is no profile: wrong JSON, a wrong type or value, two members of
   *     one name, or entries that contradict each other
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
   * Writes a policy so that {@link #parse} makes an equivalent one of it, given the policy's first
   * architecture as the native one.
   *
   * <p>Rules are taken apart until they are alternatives of comparisons that do not depend on their
   * order; a range or a signed comparison becomes up to 126 entries.
   *
   * @param policy the policy; its bad architecture action is KILL_THREAD, which is what OCI has
   * @return the JSON, indented
   * @throws IllegalArgumentException if a rule cannot be said; the message names it. OCI lacks the
   *     instruction pointer, conditions that compare two arguments, SIGSYS with data, calls without
   *     a name, and rules that differ between architectures
   */
  public static String write(SeccompPolicy policy) {
    return new OciWriter(policy).write();
  }
}
