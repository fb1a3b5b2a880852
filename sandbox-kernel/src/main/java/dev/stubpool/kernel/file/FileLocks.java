package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.sync.WaitQueue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** Advisory locks on files: those of fcntl(2), or those of flock(2). */
public final class FileLocks {
  private static final int MOST = 10_000;

  private final Map<FileId, List<Lock>> locks = new HashMap<>();
  private final WaitQueue released = new WaitQueue();
  private int count;

  /**
   * A lock.
   *
   * @param owner a descriptor table or an open file
   * @param pid the pid that F_GETLK reports
   * @param first the first byte
   * @param last the last byte, inclusive
   */
  public record Lock(Object owner, int pid, long first, long last, boolean isExclusive) {
    private boolean overlaps(long otherFirst, long otherLast) {
      return first <= otherLast && otherFirst <= last;
    }

    private boolean conflictsWith(Lock other) {
      return !owner.equals(other.owner)
          && (isExclusive || other.isExclusive)
          && overlaps(other.first, other.last);
    }
  }

  /** The queue that is woken when locks are released. */
  public WaitQueue released() {
    return released;
  }

  /** Another owner's lock that conflicts with this one, F_GETLK. */
  public Optional<Lock> conflict(FileId file, Lock lock) {
    return of(file).stream().filter(lock::conflictsWith).findFirst();
  }

  private List<Lock> of(FileId file) {
    return locks.getOrDefault(file, List.of());
  }

  /**
   * Locks for a descriptor table, which releases its locks when it closes the file, F_SETLK.
   *
   * @throws ErrnoException EAGAIN if another owner's lock conflicts
   */
  public void lock(DescriptorTable owner, OpenFile file, Lock lock) {
    owner.has(this);
    lock(file.id(), lock);
  }

  /** Locks for an open file, which releases its locks when it is closed. */
  public void lock(OpenFile owner, Lock lock) {
    owner.whenClosed(this, () -> unlockAll(owner));
    lock(owner.id(), lock);
  }

  private void lock(FileId file, Lock lock) {
    if (conflict(file, lock).isPresent()) {
      throw new ErrnoException(Errno.EAGAIN);
    }
    if (count >= MOST) {
      throw new ErrnoException(Errno.ENOLCK);
    }
    unlock(file, lock.owner, lock.first, lock.last);
    locks.computeIfAbsent(file, _ -> new ArrayList<>()).add(lock);
    count++;
  }

  /** Releases an owner's locks on a range, F_UNLCK; bytes outside the range stay locked. */
  public void unlock(FileId file, Object owner, long first, long last) {
    List<Lock> outside = new ArrayList<>();
    for (Lock lock : of(file)) {
      if (lock.owner.equals(owner) && lock.overlaps(first, last)) {
        if (lock.first < first) {
          outside.add(new Lock(owner, lock.pid, lock.first, first - 1, lock.isExclusive));
        }
        if (lock.last > last) {
          outside.add(new Lock(owner, lock.pid, last + 1, lock.last, lock.isExclusive));
        }
      }
    }
    if (remove(file, lock -> lock.owner.equals(owner) && lock.overlaps(first, last))) {
      locks.computeIfAbsent(file, _ -> new ArrayList<>()).addAll(outside);
      count += outside.size();
      forgetIfNone(file);
      released.wakeAll();
    }
  }

  /** Releases all locks of an owner. */
  public void unlockAll(Object owner) {
    boolean any = false;
    for (FileId file : List.copyOf(locks.keySet())) {
      any |= remove(file, lock -> lock.owner.equals(owner));
      forgetIfNone(file);
    }
    if (any) {
      released.wakeAll();
    }
  }

  private boolean remove(FileId file, Predicate<Lock> which) {
    int before = of(file).size();
    boolean any = before > 0 && locks.get(file).removeIf(which);
    count -= before - of(file).size();
    return any;
  }

  private void forgetIfNone(FileId file) {
    if (of(file).isEmpty()) {
      locks.remove(file);
    }
  }
}
