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
 * The contents of a regular file in memory: chunks on the heap or, once it is mapped, a memory file
 * of exactly the file's number of pages, so that accesses beyond its end fault. When the number of
 * pages changes, a new memory file replaces the old one in all mappings.
 */
public final class FileContent implements Backing {
  private static final long LARGEST = Long.MAX_VALUE - AddressSpace.PAGE_SIZE;

  /** From this size on, a memory file is kept after the last mapping is gone. */
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
   * Creates empty contents.
   *
   * @param name the name in /proc/PID/maps
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

  /** The size in bytes. */
  public long size() {
    return size;
  }

  /** The allocated memory in bytes. */
  public long allocated() {
    return memory != null ? memory.size() : chunks.allocated();
  }

  // ---- bytes ----

  /** Reads into a buffer up to the end of the file; returns the number of bytes. */
  public int read(long from, ByteBuffer to) {
    if (from >= size) { // the difference may exceed an int
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
   * Writes bytes from a buffer, and grows if necessary.
   *
   * @return the number of bytes written; fewer than all if storage runs out
   * @throws ErrnoException ENOSPC if none can be written, EFBIG if the file would be too large
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
    boolean isReplaced = pages(wanted) != memory.size();
    MemoryFile next = memory;
    if (isReplaced) {
      next = make(pages(wanted), memory.size());
      maps.forEach(AddressMap::stopGuests);
    }
    long end = Math.min(size, wanted);
    clear(
        end, Math.min(memory.size(), pages(end))); // a mapping may have been written beyond the end
    boolean wasEmpty = isEmpty();
    size = wanted;
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

  /** The size of the memory file for a file size: at least one page. */
  private static long pages(long size) {
    long page = AddressSpace.PAGE_SIZE;
    return Math.max(page, Math.ceilDiv(size, page) * page);
  }

  /**
   * While the file is empty, this is the end of the memory file's only page, so that all accesses
   * to a mapping fault.
   */
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
        throw new ErrnoException(Errno.ENOMEM); // ENOSPC for files is ENOMEM for mappings
      }
    }
    return memory;
  }

  /** Moves the chunks to a memory file. */
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

  /** Moves an unmapped memory file back to chunks, if there is room. */
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

  /** Creates a memory file that replaces storage of {@code before} bytes. */
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

  // ---- end of life ----

  /** Called when it is neither open nor named; its storage is released once it is not mapped. */
  public void discard() {
    discarded = true;
    if (maps.isEmpty()) {
      free();
    }
  }

  /** Releases the storage although it may be open or mapped, at the end of the sandbox. */
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
