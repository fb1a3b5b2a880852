package dev.stubpool.kernel.file;

import dev.stubpool.AddressSpace;
import dev.stubpool.Mappable;
import dev.stubpool.MemoryFile;
import dev.stubpool.StubPool;
import dev.stubpool.SystemCallException;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.Backing;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The bytes of a regular file in memory: chunks on the heap, or, from when it is mapped first, a
 * memory file of exactly as many pages as it has, so that what lies behind them faults. When the
 * number of pages changes, another memory file takes its place in all that map it.
 */
public final class FileContent implements Backing {
  private static final long LARGEST = Long.MAX_VALUE - AddressSpace.PAGE_SIZE;

  /** A memory file of this size is worth a descriptor, though nobody maps it any more. */
  private static final long LARGE = 16 << 20;

  private final Storage storage;
  private final Supplier<String> name;
  private final Set<AddressMap> maps = Collections.newSetFromMap(new IdentityHashMap<>());
  private Chunks chunks;
  private StubPool pool;
  private MemoryFile memory;
  private long size;
  private boolean discarded;

  /**
   * Makes an empty one.
   *
   * @param name as in /proc/PID/maps
   */
  public FileContent(Storage storage, Supplier<String> name) {
    this.storage = storage;
    this.name = name;
    this.chunks = new Chunks(storage);
  }

  @Override
  public String name() {
    return name.get();
  }

  /** Bytes from the first to the last. */
  public long size() {
    return size;
  }

  /** Bytes of memory that it takes. */
  public long allocated() {
    return memory != null ? memory.size() : chunks.allocated();
  }

  // ---- bytes ----

  /** Fills a buffer as far as there is something; how many bytes that was. */
  public int read(long from, ByteBuffer to) {
    if (from >= size) { // by far, perhaps: the difference need not be an int
      return 0;
    }
    int part = (int) Math.min(to.remaining(), size - from);
    ByteBuffer slice = to.slice(to.position(), part);
    if (memory != null) {
      slice.put(memory.segment().asSlice(from, part).asByteBuffer());
    } else {
      chunks.read(from, slice);
    }
    to.position(to.position() + part);
    return part;
  }

  /**
   * Takes bytes out of a buffer, and grows if need be.
   *
   * @return how many; not all if there is no room for more
   * @throws ErrnoException ENOSPC if there is none for any, EFBIG if it would be too large
   */
  public int write(long at, ByteBuffer from) {
    if (!from.hasRemaining()) {
      return 0;
    }
    if (at >= LARGEST) {
      throw new ErrnoException(Errno.EFBIG);
    }
    int part = (int) Math.min(from.remaining(), LARGEST - at);
    ByteBuffer slice = from.slice(from.position(), part);
    int written = part;
    if (memory != null && at + part > size) {
      resize(at + part);
    }
    if (memory != null) {
      memory.segment().asSlice(at, part).asByteBuffer().put(slice);
    } else {
      written = chunks.write(at, slice);
      size = Math.max(size, at + written);
    }
    from.position(from.position() + written);
    return written;
  }

  /** truncate(2). */
  public void resize(long wanted) {
    if (wanted > LARGEST) {
      throw new ErrnoException(Errno.EFBIG);
    }
    if (memory != null && maps.isEmpty() && pages(wanted) != memory.size()) {
      fold();
    }
    if (memory == null) {
      if (wanted < size) {
        chunks.cut(wanted);
      }
      size = wanted;
    } else {
      resizeMapped(wanted);
    }
  }

  private void resizeMapped(long wanted) {
    MemoryFile next = memory;
    if (pages(wanted) != memory.size()) {
      next = make(pages(wanted), memory.size());
      maps.forEach(AddressMap::stopGuests);
    }
    long end = Math.min(size, wanted);
    clear(end, Math.min(memory.size(), pages(end))); // whoever maps it may write behind its end
    boolean wasEmpty = isEmpty();
    size = wanted;
    boolean isReplaced = next != memory;
    if (isReplaced) {
      replaceBy(next);
    }
    if (isReplaced || wasEmpty != isEmpty()) {
      List.copyOf(maps).forEach(map -> map.remap(this));
    }
  }

  /** fallocate(2). */
  public void allocate(long offset, long length) {
    if (length > LARGEST - offset) {
      throw new ErrnoException(Errno.EFBIG);
    }
    long end = offset + length;
    if (memory == null) {
      if (length - chunks.allocated() > storage.free()) {
        throw new ErrnoException(Errno.ENOSPC);
      }
      chunks.allocate(offset, end);
    }
    if (end > size) {
      resize(end);
    }
  }

  // ---- mappings ----

  /** Bytes of the memory file for a size: at least a page, for there is none of no pages. */
  private static long pages(long size) {
    long page = AddressSpace.PAGE_SIZE;
    return Math.max(page, Math.ceilDiv(size, page) * page);
  }

  /** In a memory file of one page nevertheless: behind that page nothing is, wherever. */
  @Override
  public long offset(long wanted) {
    return isEmpty() ? AddressSpace.PAGE_SIZE : wanted;
  }

  private boolean isEmpty() {
    return size == 0;
  }

  @Override
  public Mappable open(StubPool from) {
    if (memory == null) {
      pool = from;
      try {
        memory = unfolded();
        storage.unfolded(this);
      } catch (ErrnoException _) {
        throw new ErrnoException(
            Errno.ENOMEM); // to a file there is no room, to a mapping no memory
      }
    }
    return memory;
  }

  /** A memory file of what is in the chunks, which go. */
  private MemoryFile unfolded() {
    MemoryFile made = make(pages(size), chunks.allocated());
    for (long at = 0; at < size; at += Chunks.SIZE) {
      int part = (int) Math.min(size - at, Chunks.SIZE);
      if (chunks.isThere(at)) {
        chunks.read(at, made.segment().asSlice(at, part).asByteBuffer());
      }
    }
    chunks = new Chunks(storage);
    return made;
  }

  /** Chunks of what is in the memory file, which nobody maps and which goes, if there is room. */
  private void fold() {
    Chunks made = new Chunks(storage);
    MemorySegment zeros = MemorySegment.ofArray(new byte[Chunks.SIZE]);
    storage.uncharge(memory.size());
    try {
      for (long at = 0; at < size; at += Chunks.SIZE) {
        MemorySegment part = memory.segment().asSlice(at, Math.min(size - at, Chunks.SIZE));
        if (part.mismatch(zeros.asSlice(0, part.byteSize())) >= 0) {
          int _ = made.write(at, part.asByteBuffer());
        }
      }
    } catch (ErrnoException _) {
      made.cut(0);
      storage.charge(memory.size());
      return;
    }
    closeMemory();
    chunks = made;
  }

  /** A memory file in place of something that takes so many bytes. */
  private MemoryFile make(long bytes, long before) {
    storage.charge(bytes - before);
    try {
      return pool.memoryFile(bytes);
    } catch (SystemCallException _) {
      storage.uncharge(bytes - before);
      throw new ErrnoException(Errno.ENOSPC);
    }
  }

  private void replaceBy(MemoryFile next) {
    long kept = Math.min(memory.size(), next.size());
    MemorySegment.copy(memory.segment(), 0, next.segment(), 0, kept);
    memory.close();
    memory = next;
  }

  private void clear(long from, long to) {
    memory.segment().asSlice(from, to - from).fill((byte) 0);
  }

  @Override
  public void mapped(AddressMap map) {
    maps.add(map);
  }

  @Override
  public void unmapped(AddressMap map) {
    maps.remove(map);
    if (maps.isEmpty()) {
      if (discarded) {
        free();
      } else if (memory.size() < LARGE) {
        fold();
      }
    }
  }

  // ---- its end ----

  /** Nobody has it open, and it has no name: what it takes is given back once nobody maps it. */
  public void discard() {
    discarded = true;
    if (maps.isEmpty()) {
      free();
    }
  }

  /** Whoever has it open or maps it: nobody will look into it any more. */
  void end() {
    discarded = true;
    free();
  }

  private void free() {
    chunks.cut(0);
    if (memory != null) {
      storage.uncharge(memory.size());
      closeMemory();
    }
    size = 0;
  }

  private void closeMemory() {
    memory.close();
    memory = null;
    storage.folded(this);
  }
}
