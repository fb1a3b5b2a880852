package dev.stubpool.kernel.abi;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** Protections and flags of mmap(2). */
public final class MapFlags {
  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;
  public static final int PROT_EXEC = 4;
  public static final int MAP_SHARED = 1;
  public static final int MAP_PRIVATE = 2;
  public static final int MAP_SHARED_VALIDATE = 3;

  /** SHARED, PRIVATE or SHARED_VALIDATE. */
  public static final int MAP_TYPE = 0xf;

  public static final int MAP_FIXED = 0x10;
  public static final int MAP_ANONYMOUS = 0x20;
  public static final int MAP_32BIT = 0x40;
  public static final int MAP_HUGETLB = 0x4_0000;
  public static final int MAP_SYNC = 0x8_0000;
  public static final int MAP_FIXED_NOREPLACE = 0x10_0000;

  private static final Map<Long, String> PROTECTIONS =
      new TreeMap<>(Map.of(1L, "PROT_READ", 2L, "PROT_WRITE", 4L, "PROT_EXEC"));
  private static final Map<Long, String> NAMES = new LinkedHashMap<>();

  static {
    NAMES.put((long) MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE");
    NAMES.put((long) MAP_SHARED, "MAP_SHARED");
    NAMES.put((long) MAP_PRIVATE, "MAP_PRIVATE");
    NAMES.put((long) MAP_FIXED, "MAP_FIXED");
    NAMES.put((long) MAP_ANONYMOUS, "MAP_ANONYMOUS");
    NAMES.put((long) MAP_32BIT, "MAP_32BIT");
    NAMES.put(0x100L, "MAP_GROWSDOWN");
    NAMES.put(0x800L, "MAP_DENYWRITE");
    NAMES.put(0x2000L, "MAP_LOCKED");
    NAMES.put(0x4000L, "MAP_NORESERVE");
    NAMES.put(0x8000L, "MAP_POPULATE");
    NAMES.put(0x2_0000L, "MAP_STACK");
    NAMES.put((long) MAP_HUGETLB, "MAP_HUGETLB");
    NAMES.put((long) MAP_SYNC, "MAP_SYNC");
    NAMES.put((long) MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE");
  }

  private MapFlags() {}

  /** Formats flags like strace(1). */
  public static String show(long flags) {
    return Bits.show(flags & 0xffff_ffffL, NAMES, "0");
  }

  /** Formats protections like strace(1). */
  public static String showProtection(long bits) {
    return Bits.show(bits & 0xffff_ffffL, PROTECTIONS, "PROT_NONE");
  }
}
