package dev.stubpool.kernel.memory;

import dev.stubpool.AddressSpace;
import dev.stubpool.Protection;
import dev.stubpool.StubMemory;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.nio.ByteBuffer;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Keeps in a table what a stub would have mapped, page by page, and fails when it is told to. */
final class FakeMapper implements Mapper {
  private final TreeMap<Long, Page> pages = new TreeMap<>();
  private boolean fails;
  private long age;

  /**
   * A page.
   *
   * @param age the number of the call that mapped it: larger for a later one
   */
  record Page(Protection protection, Backing backing, long offset, long age) {}

  /** All pages by their addresses. */
  NavigableMap<Long, Page> pages() {
    return pages;
  }

  /** Has the next call fail. */
  void failOnce() {
    fails = true;
  }

  private void begin() {
    if (fails) {
      fails = false;
      throw new ErrnoException(Errno.ENOMEM);
    }
    age++;
  }

  @Override
  public Mapper of(StubMemory other) {
    FakeMapper copy = new FakeMapper();
    copy.pages.putAll(pages);
    return copy;
  }

  @Override
  public SharedMemory share(MemoryBudget budget, long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void map(Region region) {
    begin();
    for (long at = region.start(); at < region.end(); at += AddressSpace.PAGE_SIZE) {
      pages.put(at, new Page(region.protection(), region.backing(), region.offsetOf(at), age));
    }
  }

  @Override
  public void protect(long start, long end, Protection protection) {
    begin();
    pages
        .subMap(start, end)
        .replaceAll((_, page) -> new Page(protection, page.backing(), page.offset(), page.age()));
  }

  @Override
  public void unmap(long start, long end) {
    begin();
    pages.subMap(start, end).clear();
  }

  @Override
  public void copy(Region from, long to, ByteBuffer through) {
    for (long at = 0; at < from.size(); at += AddressSpace.PAGE_SIZE) {
      Page source = pages.get(from.start() + at);
      pages.computeIfPresent(
          to + at,
          (_, page) -> new Page(page.protection(), page.backing(), page.offset(), source.age()));
    }
  }
}
