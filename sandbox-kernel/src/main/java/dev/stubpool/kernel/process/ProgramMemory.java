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
 * The memory of a program, and the stub that it is in: what the threads of a process share, and a
 * child of vfork(2) borrows. Its stub is given back when the last of them has left.
 */
public final class ProgramMemory {
  /** How long a guest may take to stop when it is interrupted. */
  private static final Duration STOPS_WITHIN = Duration.ofSeconds(10);

  private final Stub stub;
  private final AddressMap map;
  private final UserMemory user;

  // Under the kernel's lock.
  private final List<Task> tasks = new ArrayList<>();
  private boolean isWatched;

  // Under its own monitor: who comes back from a guest has no lock.
  private final Object stopping = new Object();
  private int running;

  /** The memory of a leased stub. */
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

  /** What is mapped. */
  public AddressMap map() {
    return map;
  }

  /** Copies to and from it. */
  public UserMemory user() {
    return user;
  }

  void enter(Task task) {
    tasks.add(task);
  }

  /** A task leaves for good; whether it was the last. */
  public boolean leave(Task task) {
    tasks.remove(task);
    return tasks.isEmpty();
  }

  /** Whether nobody has watched for the stub's death so far; from now on the caller does. */
  public boolean watch() {
    boolean isFirst = !isWatched;
    isWatched = true;
    return isFirst;
  }

  /** A task that is in it and is not to end, nor to go on in another. */
  public Optional<Task> anyTask() {
    return tasks.stream().filter(task -> !task.isLeaving() && equals(task.program())).findFirst();
  }

  /** Gives back the stub: nobody is in it. */
  public void close() {
    map.close();
    stub.close();
  }

  /** A guest is about to run; called with the kernel's lock. */
  public void beginRun() {
    synchronized (stopping) {
      running++;
    }
  }

  /** A guest has stopped; called without the kernel's lock. */
  public void endRun() {
    synchronized (stopping) {
      if (--running == 0) {
        stopping.notifyAll();
      }
    }
  }

  /**
   * Stops all guests in it. They stay so for as long as the caller keeps the kernel's lock, without
   * which none goes on.
   */
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
