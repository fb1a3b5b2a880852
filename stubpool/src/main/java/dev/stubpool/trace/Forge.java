package dev.stubpool.trace;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.StubDiedException;
import dev.stubpool.SystemCallException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ImageSymbols;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.nativestubs.NativeAccess;
import dev.stubpool.nativestubs.ProcessCalls;
import dev.stubpool.nativestubs.StubImage;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Makes child stubs from a source, one or many in one injection. Owns the source and makes a new
 * one when it died.
 *
 * <p>Also resets used stubs to what the source is, and copies them.
 *
 * <p>Born by CLONE_PARENT and CLONE_PTRACE, a child is the JVM's own child and traced with the
 * source's options before it runs its first instruction: there is no moment in which it could
 * outlive the JVM, and no SIGSTOP dance. The kernel writes its pid (CLONE_PARENT_SETTID) into a
 * page that the JVM shares with the source alone, so the last pid there says that all are made
 * before the source has stopped; the wait is for that child first, and has mostly no need to block.
 */
public final class Forge implements AutoCloseable {
  /** The most stubs made in one injection: as many pids as the page holds. */
  public static final int MOST_AT_ONCE = Abi.IMAGE_PAGE / Integer.BYTES;

  /** The most sources or copies made for one call: somebody may kill them as fast. */
  private static final int MOST_TRIES = 10;

  private static final String STEP = "forging a stub";

  private final Tracer tracer;
  private final StubSpec spec;
  private final Seams seams;
  private final MemorySegment pidPage;
  private final StubImage image = StubImage.get();
  private Tracee source;
  private Recycler recycler;

  /** Makes one without a source yet. */
  public Forge(Tracer tracer, StubSpec spec, Seams seams) {
    this.tracer = tracer;
    this.spec = spec;
    this.seams = seams;
    long page = SystemCallException.check(MemoryCalls.mapShared(Abi.IMAGE_PAGE), "mmap", STEP);
    this.pidPage = NativeAccess.view(page, Abi.IMAGE_PAGE);
  }

  /** The source, or null if there is none alive. */
  public Tracee source() {
    return source != null && source.death() == null ? source : null;
  }

  /** Makes a source if there is none alive. */
  public void ensureSource() {
    if (source() == null) {
      Tracee made = SourceStub.make(tracer, spec, pidPage.address(), seams);
      try {
        recycler = new Recycler(tracer, spec, made, new InitialState(tracer, made, STEP));
      } catch (RuntimeException | Error e) {
        tracer.killAndBury(made);
        throw e;
      }
      source = made;
    }
  }

  /**
   * Makes a used stub like a new one.
   *
   * @return null, or what somebody did to it that cannot be undone: it must be discarded
   * @throws dev.stubpool.StubPoolException if it died, or the kernel refused a step
   */
  public String recycle(Tracee stub) {
    return recycler.recycle(stub);
  }

  /**
   * Makes a copy of a stub: its private memory copy-on-write, its shared memory shared.
   *
   * @throws SystemCallException if the kernel refused
   * @throws StubDiedException if the stub died, or copies are killed from outside again and again
   */
  public Tracee copy(Tracee stub) {
    String step = "copying stub " + stub.pid();
    for (int copies = 1; ; copies++) {
      // No word of this stub's memory is ours: the pid comes back in rax, and the kernel does not
      // mind that it cannot store it (kernel_clone in kernel/fork.c).
      long pid = tracer.inject(stub, Abi.SYS_clone, Abi.CHILD_STUB_FLAGS, 0, 0, 0, 0, 0, step);
      if (pid < 0) {
        throw new SystemCallException("clone", (int) -pid, step, CloneAdvice.of((int) -pid));
      }
      Tracee child = new Tracee((int) pid);
      if (stops(child)) {
        child.use();
        return child;
      }
      if (copies == MOST_TRIES) {
        throw new StubDiedException(child.pid(), child.death(), step);
      }
    }
  }

  /**
   * Makes another thread of a stub, asleep until a {@link GuestThread} takes it over. It is
   * untraced meanwhile, but not alone: its process is traced, and told to die with the JVM.
   *
   * @throws SystemCallException if the kernel refused
   * @throws StubDiedException if the stub died
   */
  public Tracee makeThread(Tracee stub) {
    String step = "making a guest thread of stub " + stub.pid();
    tracer.arm(stub, step);
    long tid = tracer.inject(stub, Abi.SYS_clone, Abi.GUEST_THREAD_FLAGS, 0, 0, 0, 0, 0, step);
    if (tid < 0) {
      throw new SystemCallException("clone", (int) -tid, step, CloneAdvice.of((int) -tid));
    }
    try {
      tracer.hasGuests(stub);
      Tracee thread = stub.addGuest((int) tid);
      tracer.awaitStop(thread, step);
      tracer.park(thread, step);
      return thread;
    } catch (RuntimeException | Error e) {
      tracer.killAndBury(stub);
      throw e;
    }
  }

  /**
   * Makes stubs, and a source first if there is none.
   *
   * @param count 1 to {@link #MOST_AT_ONCE}
   * @param born is given each stub, stopped and ready; fewer than {@code count} if some were killed
   *     from outside
   * @throws SystemCallException if the kernel refused one; those made before it have been given to
   *     {@code born}
   * @throws StubDiedException if sources are killed from outside again and again
   */
  public void forge(int count, Consumer<Tracee> born) {
    for (int tries = 1; ; tries++) {
      try {
        ensureSource();
        forgeFromSource(count, born);
        return;
      } catch (StubDiedException e) {
        // The source was killed from outside, perhaps long ago, perhaps at its birth. Its children
        // of this batch are buried, none was given to anybody: once more.
        if (source() != null || tries == MOST_TRIES) {
          throw e;
        }
      }
    }
  }

  private void forgeFromSource(int count, Consumer<Tracee> born) {
    for (int i = 0; i < count; i++) {
      pidPage.setAtIndex(JAVA_INT, i, 0);
    }
    int next = 0;
    try {
      long page = image.base() + Abi.IMAGE_PID_PAGE_OFFSET;
      tracer.startCloning(source, Abi.CHILD_STUB_FLAGS, page, count, STEP);
      int last = count - 1;
      boolean lastStopped =
          tracer.lookForNewborn(pidPage.address() + (long) last * Integer.BYTES) == 1;
      awaitSource(lastStopped);
      while (next < count) {
        int pid = pidPage.getAtIndex(JAVA_INT, next);
        if (pid == 0) {
          int errno = (int) -tracer.result();
          throw new SystemCallException("clone", errno, STEP, CloneAdvice.of(errno));
        }
        Tracee child = new Tracee(pid);
        boolean alive = (next == last && lastStopped) || stops(child);
        next++;
        if (alive) {
          give(child, born);
        }
      }
    } catch (RuntimeException e) {
      buryNewborn(next, count, e);
      throw e;
    } catch (Error e) {
      // There may be no memory to bury them: the sweep does. The source may still be cloning.
      for (int i = next; i < count; i++) {
        int pid = pidPage.getAtIndex(JAVA_INT, i);
        if (pid != 0) {
          ProcessCalls.kill(pid, Abi.SIGKILL);
        }
      }
      source.kill();
      throw e;
    }
  }

  /** One that is not taken may be registered by half: it is killed, and the sweep buries it. */
  private static void give(Tracee child, Consumer<Tracee> born) {
    try {
      born.accept(child);
    } catch (RuntimeException | Error e) {
      child.kill();
      throw e;
    }
  }

  /**
   * When all pids are there the source needs no more than to have stopped: what for does not
   * matter.
   */
  private void awaitSource(boolean complete) {
    if (complete) {
      tracer.awaitStop(source, STEP);
    } else {
      tracer.awaitTrap(source, image.address(ImageSymbols.STUB_CLONE_MANY_DONE), STEP);
    }
  }

  /**
   * Whether a newborn reached its first stop; if not it was killed from outside, and the others are
   * not.
   */
  private boolean stops(Tracee child) {
    try {
      tracer.awaitStop(child, STEP);
      return true;
    } catch (StubDiedException e) {
      return false;
    }
  }

  /** Those of a batch that were made and not given away. */
  private void buryNewborn(int from, int to, RuntimeException cause) {
    for (int i = from; i < to; i++) {
      int pid = pidPage.getAtIndex(JAVA_INT, i);
      if (pid != 0) {
        try {
          tracer.killAndBury(new Tracee(pid));
        } catch (RuntimeException e) {
          cause.addSuppressed(e);
        }
      }
    }
  }

  /** Kills the source. Stubs made from it live on. */
  @Override
  public void close() {
    if (source() != null) {
      tracer.killAndBury(source);
    }
    MemoryCalls.unmap(pidPage.address(), Abi.IMAGE_PAGE);
  }
}
