package dev.stubpool.seccomp.formats;

/**
 * The text of minijail's seccomp policies, as minijail0(5) and the grammar of its
 * compile_seccomp_policy.py have it.
 *
 * <pre>
 * # a comment; a backslash at the end of a line continues it
 * read: 1                                   # also: allow
 * ioctl: arg1 == TCGETS || arg1 == 0x5413 &amp;&amp; arg0 in 0xff
 * openat: arg2 &amp; O_CREAT; return EACCES
 * {mmap, mprotect}: arg2 in ~PROT_EXEC || arg2 in ~PROT_WRITE
 * mmap2[arch=arm,x86]: allow
 * clone: { arg0 == CLONE_VM; log, return EPERM }
 * kill: return ENOSYS                       # also: kill, kill-process, kill-thread, trap, trace,
 * &#64;default trap                             # log, user-notify
 * &#64;include ./common.policy
 * &#64;denylist                                 # instead: allow what is not named
 * </pre>
 *
 * <p>Operators are ==, !=, &lt;, &lt;=, &gt;, &gt;= (unsigned), {@code &} (at least one of the bits
 * is set) and {@code in} (no other bit is set), on all 64 bits, on 32-bit architectures on 32.
 * Values are decimal, octal with 0, hexadecimal with 0x, or constants of Linux's headers, joined by
 * |, complemented by ~, and in parentheses. Calls may be numbers.
 *
 * <p>The policy is for one architecture. {@code @frequency} has no effect on what it means and is
 * reported; groups of calls ({@code name@group}) are not known.
 */
public final class MinijailPolicy {

  /** The longest text that is read, in UTF-16 units; included ones count on their own. */
  public static final int MAX_LENGTH = 1 << 22;

  /** How deeply texts may include each other. */
  public static final int MAX_INCLUDE_DEPTH = 10;

  /** How many texts may be included in all. */
  public static final int MAX_INCLUDES = 256;

  private MinijailPolicy() {}

  /**
   * Reads a policy as minijail0 would.
   *
   * @param text the policy
   * @param context what it is loaded for: its file name and the native architecture count
   * @return the policy and warnings
   * @throws FormatException if the text is no policy, or includes another one
   */
  public static LoadedPolicy parse(String text, LoadContext context) {
    return parse(text, context, MinijailOptions.DEFAULT);
  }

  /**
   * Reads a policy.
   *
   * @param text the policy
   * @param context what it is loaded for: its file name and the native architecture count
   * @param options what minijail takes from its command line
   * @return the policy and warnings
   * @throws FormatException if the text is no policy, or what it includes is not there
   */
  public static LoadedPolicy parse(String text, LoadContext context, MinijailOptions options) {
    return new MinijailParser(context, options).parse(text);
  }
}
