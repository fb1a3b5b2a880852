package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.memory.MemoryBudget;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** The memory limit for files. */
public final class Storage implements AutoCloseable {
  private final MemoryBudget budget;
  private final long most;
  private final Set<FileContent> unfolded = Collections.newSetFromMap(new IdentityHashMap<>());
  private long used;

  /**
   * Creates a limit within a budget.
   *
   * @param most the limit in bytes, even if the budget has more
   */
  public Storage(MemoryBudget budget, long most) {
    this.budget = budget;
    this.most = most;
  }

  /**
   * Charges bytes.
   *
   * @throws ErrnoException ENOSPC if there is not enough left
   */
  public void charge(long bytes) {
    if (bytes > most - used || bytes > budget.most() - budget.used()) {
      throw new ErrnoException(Errno.ENOSPC);
    }
    budget.charge(bytes);
    used += bytes;
  }

  /** Releases charged bytes. */
  public void uncharge(long bytes) {
    budget.uncharge(bytes);
    used -= bytes;
  }

  /** Registers contents that have a memory file. */
  void unfolded(FileContent content) {
    unfolded.add(content);
  }

  /** Removes contents that no longer have one. */
  void folded(FileContent content) {
    unfolded.remove(content);
  }

  /** Closes all memory files, at the end of the sandbox. */
  @Override
  public void close() {
    List.copyOf(unfolded).forEach(FileContent::end);
  }

  /** The limit in bytes. */
  public long most() {
    return most;
  }

  /** The remaining bytes. */
  public long free() {
    return Math.min(most - used, budget.most() - budget.used());
  }
}
