package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.memory.MemoryBudget;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** How much memory files may take. */
public final class Storage implements AutoCloseable {
  private final MemoryBudget budget;
  private final long most;
  private final Set<FileContent> unfolded = Collections.newSetFromMap(new IdentityHashMap<>());
  private long used;

  /**
   * Takes from a budget.
   *
   * @param most bytes, whatever the budget has
   */
  public Storage(MemoryBudget budget, long most) {
    this.budget = budget;
    this.most = most;
  }

  /**
   * Takes some of it.
   *
   * @throws ErrnoException ENOSPC if there is not so much left
   */
  public void charge(long bytes) {
    if (bytes > most - used || bytes > budget.most() - budget.used()) {
      throw new ErrnoException(Errno.ENOSPC);
    }
    budget.charge(bytes);
    used += bytes;
  }

  /** Gives back what was taken. */
  public void uncharge(long bytes) {
    budget.uncharge(bytes);
    used -= bytes;
  }

  /** A file has a memory file. */
  void unfolded(FileContent content) {
    unfolded.add(content);
  }

  /** It has none any more. */
  void folded(FileContent content) {
    unfolded.remove(content);
  }

  /** Gives up all memory files: nobody will want what is in them. */
  @Override
  public void close() {
    List.copyOf(unfolded).forEach(FileContent::end);
  }

  /** All of it, in bytes. */
  public long most() {
    return most;
  }

  /** What is left. */
  public long free() {
    return Math.min(most - used, budget.most() - budget.used());
  }
}
