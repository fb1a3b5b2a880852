package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import java.util.Objects;

/**
 * A range of pages that are mapped alike.
 *
 * @param start the first address
 * @param end the first address after it
 * @param backing the mapped object; null for private anonymous memory
 * @param offset its start in the backing; 0 without one
 * @param mayWrite whether mprotect(2) may make it writable
 * @param charged whether it is charged to the budget: it is private and has been writable, so it
 *     may have private pages
 * @param label its name without a backing: [heap], [stack], or empty
 */
public record Region(
    long start,
    long end,
    Protection protection,
    Sharing sharing,
    Backing backing,
    long offset,
    boolean mayWrite,
    boolean charged,
    String label) {
  static final String HEAP = "[heap]";
  static final String STACK = "[stack]";

  /** Creates a region of private zeroed memory. */
  static Region anonymous(long start, long size, Protection protection, String label) {
    return new Region(
        start,
        start + size,
        protection,
        Sharing.PRIVATE,
        null,
        0,
        true,
        Protections.writes(protection),
        label);
  }

  /** Creates a region that maps a part of a backing. */
  static Region of(
      Backing backing,
      long offset,
      long start,
      long size,
      Protection protection,
      Sharing sharing,
      boolean mayWrite) {
    boolean charged = sharing == Sharing.PRIVATE && Protections.writes(protection);
    return new Region(
        start, start + size, protection, sharing, backing, offset, mayWrite, charged, "");
  }

  /** Its size in bytes. */
  public long size() {
    return end - start;
  }

  /** Whether writes are visible to others, MAP_SHARED. */
  public boolean isShared() {
    return sharing == Sharing.SHARED;
  }

  /** The permissions as in /proc/PID/maps: {@code rw-p}. */
  public String permissions() {
    return (Protections.reads(protection) ? "r" : "-")
        + (Protections.writes(protection) ? "w" : "-")
        + (Protections.executes(protection) ? "x" : "-")
        + (isShared() ? "s" : "p");
  }

  /** The name as in /proc/PID/maps: a path, {@code [heap]}, or empty. */
  public String name() {
    return backing == null ? label : backing.name();
  }

  /** The bytes charged to the budget. */
  long chargedSize() {
    return charged ? size() : 0;
  }

  /** The offset in the backing of an address. */
  long offsetOf(long address) {
    return backing == null ? 0 : offset + (address - start);
  }

  /** The region cut or extended to a range. */
  Region part(long from, long to) {
    return new Region(
        from, to, protection, sharing, backing, offsetOf(from), mayWrite, charged, label);
  }

  /** The region at another address. */
  Region movedTo(long address) {
    return new Region(
        address, address + size(), protection, sharing, backing, offset, mayWrite, charged, label);
  }

  /** The region after mprotect(2). */
  Region protectedBy(Protection changed) {
    return new Region(
        start,
        end,
        changed,
        sharing,
        backing,
        offset,
        mayWrite,
        charged || (!isShared() && Protections.writes(changed)),
        label);
  }

  /** The region newly mapped, without private pages. */
  Region fresh() {
    return new Region(
        start,
        end,
        protection,
        sharing,
        backing,
        offset,
        mayWrite,
        !isShared() && Protections.writes(protection),
        label);
  }

  /** Whether this region and the following one can be joined. */
  boolean joins(Region next) {
    return end == next.start
        && protection == next.protection
        && sharing == next.sharing
        && Objects.equals(backing, next.backing)
        && offsetOf(end) == next.offset
        && mayWrite == next.mayWrite
        && charged == next.charged
        && label.equals(next.label);
  }
}
