package dev.stubpool.kernel.abi;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Operations on words of flags. */
public final class Bits {
  private Bits() {}

  /** Whether any bit of {@code mask} is set. */
  public static boolean any(long word, long mask) {
    return (word & mask) != 0;
  }

  /** Whether all bits of {@code mask} are set. */
  public static boolean all(long word, long mask) {
    return (word & mask) == mask;
  }

  /** Formats flags like strace(1): {@code A|B|0x80}, or {@code none} if no bit is set. */
  public static String show(long word, Map<Long, String> names, String none) {
    List<String> set = new ArrayList<>();
    long rest = word;
    for (var name : names.entrySet()) {
      if ((rest & name.getKey()) == name.getKey()) {
        set.add(name.getValue());
        rest &= ~name.getKey();
      }
    }
    if (rest != 0) {
      set.add("0x" + Long.toHexString(rest));
    }
    return set.isEmpty() ? none : String.join("|", set);
  }
}
