package dev.stubpool.seccomp.formats;

/**
 * Reads minijail's seccomp policies, in the syntax of minijail0(5) and of
 * compile_seccomp_policy.py.
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
 * <p>The policy is for one architecture. {@code @frequency} has no effect on the policy and causes
 * a warning. Groups of calls ({@code name@group}) are not supported.
 */
public final class MinijailPolicy {

  /** The limit for the length of each text, in UTF-16 units. */
  public static final int MAX_LENGTH = 1 << 22;

  /** The limit for nested includes. */
  public static final int MAX_INCLUDE_DEPTH = 10;

  /** The limit for the total number of includes. */
  public static final int MAX_INCLUDES = 256;

  private MinijailPolicy() {}

  /**
   * Reads a policy with {@link MinijailOptions#DEFAULT}.
   *
   * @param text the policy
   * @param context the environment; only the file name and the native architecture are used
   * @return the policy and warnings
   * @throws FormatException if the text is malformed or includes another one
   */
  public static LoadedPolicy parse(String text, LoadContext context) {
    return parse(text, context, MinijailOptions.DEFAULT);
  }

  /**
   * Reads a policy.
   *
   * @param text the policy
   * @param context the environment; only the file name and the native architecture are used
   * @param options the settings of minijail's command line
   * @return the policy and warnings
   * @throws FormatException if the text is malformed or an included text cannot be read
   */
  public static LoadedPolicy parse(String text, LoadContext context, MinijailOptions options) {
    return new MinijailParser(context, options).parse(text);
  }
}
