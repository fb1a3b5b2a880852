package dev.stubpool.arch;

/**
 * In which registers the entries of the stub image take their arguments, as offsets in the
 * structure of {@link RegisterLayout}. The entries are described in the native sources, {@code
 * stub.S}.
 *
 * @param firstCall of the entry for the first system call of a child stub
 * @param cloneMany of the entry that makes child stubs
 * @param unmapAround of the entry that unmaps everything but the image
 */
public record EntryArguments(FirstCall firstCall, CloneMany cloneMany, UnmapAround unmapAround) {
  /**
   * Arguments of the first system call, whose third to sixth argument are where the kernel wants
   * them.
   *
   * @param number the number of the call
   * @param argument0 its first argument
   * @param argument1 its second argument
   * @param jvmPid the process that must be the parent
   */
  public record FirstCall(int number, int argument0, int argument1, int jvmPid) {}

  /**
   * Arguments of a run that makes child stubs.
   *
   * @param flags the flags of clone(2)
   * @param pids the address that the first pid is written to
   * @param count how many stubs to make
   */
  public record CloneMany(int flags, int pids, int count) {}

  /**
   * Arguments of a run that unmaps everything but the image.
   *
   * @param lowAddress the address of the range below the image
   * @param lowLength its length in bytes
   * @param highAddress the address of the range above the image
   * @param highLength its length in bytes
   */
  public record UnmapAround(int lowAddress, int lowLength, int highAddress, int highLength) {}
}
