package dev.stubpool.kernel.abi;

/** Kinds of access to a file, access(2). */
public final class Access {
  public static final int X_OK = 1;
  public static final int W_OK = 2;
  public static final int R_OK = 4;

  /** All kinds. */
  public static final int ALL = R_OK | W_OK | X_OK;

  private Access() {}

  /** The access that opening a file with given flags needs. */
  public static int of(int openFlags) {
    boolean changes = OpenFlags.writes(openFlags) || Bits.any(openFlags, OpenFlags.O_TRUNC);
    return (OpenFlags.reads(openFlags) ? R_OK : 0) | (changes ? W_OK : 0);
  }
}
