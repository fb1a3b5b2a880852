package dev.stubpool.kernel.abi;

/** What somebody wants to do with a file, access(2). */
public final class Access {
  public static final int X_OK = 1;
  public static final int W_OK = 2;
  public static final int R_OK = 4;

  /** All of them. */
  public static final int ALL = R_OK | W_OK | X_OK;

  private Access() {}

  /** What somebody wants who opens a file. */
  public static int of(int openFlags) {
    boolean changes = OpenFlags.writes(openFlags) || Bits.any(openFlags, OpenFlags.O_TRUNC);
    return (OpenFlags.reads(openFlags) ? R_OK : 0) | (changes ? W_OK : 0);
  }
}
