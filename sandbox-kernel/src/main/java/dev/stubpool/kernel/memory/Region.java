package dev.stubpool.kernel.memory;

import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import java.util.Objects;

/**
 * Pages in a row that are mapped alike.
 *
 * @param start the first address
 * @param end the first address behind it
 * @param backing what is mapped; null for private anonymous memory
 * @param offset where in the backing it begins; 0 without one
 * @param mayWrite whether its protection may ever allow that
 * @param charged whether it counts against the budget: it is private, and could be written since it
 *     was mapped, so that it may have pages of its own
 * @param label what it is called without a backing: [heap], [stack], or empty
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

  /** Private memory, of zeros. */
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

  /** A part of a backing. */
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

  /** Whether others see what is written to it. */
  public boolean isShared() {
    return sharing == Sharing.SHARED;
  }

  /** As in /proc/PID/maps: {@code rw-p}. */
  public String permissions() {
    return (Protections.reads(protection) ? "r" : "-")
        + (Protections.writes(protection) ? "w" : "-")
        + (Protections.executes(protection) ? "x" : "-")
        + (isShared() ? "s" : "p");
  }

  /** As in /proc/PID/maps: a path, {@code [heap]}, or empty. */
  public String name() {
    return backing == null ? label : backing.name();
  }

  /** What it counts against the budget. */
  long chargedSize() {
    return charged ? size() : 0;
  }

  /** Where in the backing an address of it is. */
  long offsetOf(long address) {
    return backing == null ? 0 : offset + (address - start);
  }

  /** What of it, or of what would follow it, is in a range. */
  Region part(long from, long to) {
    return new Region(
        from, to, protection, sharing, backing, offsetOf(from), mayWrite, charged, label);
  }

  /** The same, mapped at another place. */
  Region movedTo(long address) {
    return new Region(
        address, address + size(), protection, sharing, backing, offset, mayWrite, charged, label);
  }

  /** After mprotect(2). */
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

  /** The same mapped anew, with nothing of its own. */
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

  /** Whether this and what follows it are one region. */
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
