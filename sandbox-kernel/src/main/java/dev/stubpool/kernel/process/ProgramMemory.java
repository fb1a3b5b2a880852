package dev.stubpool.kernel.process;

import dev.stubpool.Stub;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.sync.KernelLock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The memory of a program, with its stub: shared by the threads of a process, and borrowed by a
 * child of vfork(2). The stub is released when the last of them has left.
 */
public final class ProgramMemory {
  /** The time within which an interrupted guest must stop. */
  private static final Duration STOPS_WITHIN = Duration.ofSeconds(10);

  private final Stub stub;
  private final AddressMap map;
  private final UserMemory user;

  // Guarded by the kernel's lock.
  private final List<Task> tasks = new ArrayList<>();
  private boolean isWatched;

  // Guarded by this object's monitor: a thread returning from its guest does not hold the lock.
  private final Object stopping = new Object();
  private int running;

  /** Creates the memory of a leased stub. */
  public ProgramMemory(Stub stub, AddressMap map, UserMemory user) {
    this.stub = stub;
    this.map = map;
    this.user = user;
    map.stopper(this::stopAll);
  }

  /** The stub. */
  public Stub stub() {
    return stub;
  }

  /** The address map. */
  public AddressMap map() {
    return map;
  }

  /** Access to its contents. */
  public UserMemory user() {
    return user;
  }

  void enter(Task task) {
    tasks.add(task);
  }

  /** Called when a task leaves for good; returns whether it was the last one. */
  public boolean leave(Task task) {
    tasks.remove(task);
    return tasks.isEmpty();
  }

  /** Returns true for the first caller only, which then watches for the stub's death. */
  public boolean watch() {
    boolean isFirst = !isWatched;
    isWatched = true;
    return isFirst;
  }

  /** A task in this memory that is neither ending nor about to leave it. */
  public Optional<Task> anyTask() {
    return tasks.stream().filter(task -> !task.isLeaving() && equals(task.program())).findFirst();
  }

  /** Releases the stub; no task is in it. */
  public void close() {
    map.close();
    stub.close();
  }

  /** Called with the kernel's lock before a guest runs. */
  public void beginRun() {
    synchronized (stopping) {
      running++;
    }
  }

  /** Called without the kernel's lock after a guest has stopped. */
  public void endRun() {
    synchronized (stopping) {
      if (--running == 0) {
        stopping.notifyAll();
      }
    }
  }

  /** Stops all guests in it. They remain stopped as long as the caller holds the kernel's lock. */
  public void stopAll(KernelLock lock) {
    assert lock.isHeld();
    stopAll();
  }

  private void stopAll() {
    tasks.forEach(Task::interruptGuest);
    long deadline = System.nanoTime() + STOPS_WITHIN.toNanos();
    boolean interrupted = false;
    synchronized (stopping) {
      while (running > 0) {
        long millis = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
        if (millis <= 0) {
          throw new IllegalStateException(
              "a guest in stub %d did not stop within %s".formatted(stub.pid(), STOPS_WITHIN));
        }
        try {
          stopping.wait(millis);
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
