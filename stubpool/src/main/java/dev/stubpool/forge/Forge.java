package dev.stubpool.forge;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.StubDiedException;
import dev.stubpool.SystemCallException;
import dev.stubpool.diagnose.CloneAdvice;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.NativeAccess;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes stubs by cloning the source stub, one or many in one injection; copies stubs, makes threads
 * in them, and resets them. Owns the source, and makes a new one when it died.
 *
 * <p>A stub is cloned with CLONE_PARENT and CLONE_PTRACE, so it is the JVM's own child, and is
 * traced with the source's options before its first instruction: at no moment could it outlive the
 * JVM. The kernel writes its pid (CLONE_PARENT_SETTID) into a page that only the JVM and the source
 * share. The last pid of a batch appears there before the source has stopped, so the wait for that
 * stub comes first, and mostly need not block.
 */
public final class Forge implements StubFactory, AutoCloseable {
  /** The most stubs made in one injection: the number of pids in a page. */
  public static final int MOST_AT_ONCE = Abi.IMAGE_PAGE / Integer.BYTES;

  /**
   * Attempts for one call: other processes may kill sources and copies as fast as they are made.
   */
  private static final int MOST_TRIES = 10;

  private static final String STEP = "forging a stub";

  private final StubSpec spec;
  private final Runnable sourceChanged;
  private final StubImage image = StubImage.get();

  @SuppressWarnings("NullAway.Init") // set by begin, before all other work
  private StopRunner tracer;

  /** Where the pids of new stubs arrive; NULL before {@link #begin}, and once closed. */
  private MemorySegment pidPage = MemorySegment.NULL;

  private @Nullable Tracee source;

  @SuppressWarnings("NullAway.Init") // made with the first source, and so before any stub
  private Recycler recycler;

  /**
   * Makes a forge, which works once {@link #begin} was called.
   *
   * @param sourceChanged runs on the tracer thread when another source was made
   */
  public Forge(StubSpec spec, Runnable sourceChanged) {
    this.spec = spec;
    this.sourceChanged = sourceChanged;
  }

  /**
   * Begins to work for the calling thread.
   *
   * @param runner of the calling thread
   * @throws SystemCallException if the kernel refuses the page that pids arrive in
   */
  public void begin(StopRunner runner) {
    long page = Failures.check(MemoryCalls.mapShared(Abi.IMAGE_PAGE), "mmap", STEP);
    pidPage = NativeAccess.view(page, Abi.IMAGE_PAGE);
    tracer = runner;
  }

  /** The source, or null if none is alive. */
  public @Nullable Tracee source() {
    return source != null && source.death() == null ? source : null;
  }

  /** The source; makes one if none is alive. */
  public Tracee ensureSource() {
    Tracee living = source();
    if (living == null) {
      Tracee made = SourceStub.make(tracer, spec, pidPage.address());
      try {
        recycler = new Recycler(tracer, spec, made, new InitialState(tracer, made, STEP));
      } catch (RuntimeException | Error e) {
        tracer.reaper().killAndReap(made);
        throw e;
      }
      source = made;
      sourceChanged.run();
      living = made;
    }
    return living;
  }

  /**
   * Resets a used stub.
   *
   * @return null, or what another process did to the stub that cannot be undone, so that it must be
   *     discarded
   * @throws dev.stubpool.StubPoolException if it died, or the kernel refused a step
   */
  @Override
  public @Nullable String recycle(Tracee stub) {
    return recycler.recycle(stub);
  }

  /**
   * Makes a copy of a stub: its private memory copy-on-write, its shared memory shared.
   *
   * @throws SystemCallException if the kernel refused
   * @throws StubDiedException if the stub died, or copies are killed from outside again and again
   */
  @Override
  public Tracee copy(Tracee stub) {
    String step = "copying stub " + stub.pid();
    for (int copies = 1; ; copies++) {
      // The pid is the result of the call. CLONE_PARENT_SETTID has no address to write it to, and
      // the
      // kernel ignores that write's failure (kernel_clone in kernel/fork.c).
      long pid = tracer.inject(stub, Abi.SYS_clone, Abi.CHILD_STUB_FLAGS, 0, 0, 0, 0, 0, step);
      if (pid < 0) {
        throw Failures.make().systemCall("clone", (int) -pid, step, CloneAdvice.of((int) -pid));
      }
      Tracee child = new Tracee((int) pid);
      if (stops(child)) {
        child.use();
        return child;
      }
      if (copies == MOST_TRIES) {
        throw Failures.make().died(child.pid(), child.describeDeath(), step);
      }
    }
  }

  /**
   * Makes another thread of a stub, which sleeps in the image until a guest engine seizes it. The
   * thread is untraced meanwhile, but its process is traced and has armed its parent death signal.
   *
   * @throws SystemCallException if the kernel refused
   * @throws StubDiedException if the stub died
   */
  public Tracee makeThread(Tracee stub) {
    String step = "making a guest thread of stub " + stub.pid();
    tracer.arm(stub, step);
    long tid = tracer.inject(stub, Abi.SYS_clone, Abi.GUEST_THREAD_FLAGS, 0, 0, 0, 0, 0, step);
    if (tid < 0) {
      throw Failures.make().systemCall("clone", (int) -tid, step, CloneAdvice.of((int) -tid));
    }
    try {
      tracer.reaper().hasGuests(stub);
      Tracee thread = stub.addGuest((int) tid);
      tracer.awaitStop(thread, step);
      tracer.park(thread, step);
      return thread;
    } catch (RuntimeException | Error e) {
      tracer.reaper().killAndReap(stub);
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
  @Override
  public void forge(int count, Consumer<Tracee> born) {
    for (int tries = 1; ; tries++) {
      try {
        forgeFrom(ensureSource(), count, born);
        return;
      } catch (StubDiedException e) {
        // Another process killed the source. Its children of this batch are reaped and were given
        // to
        // no caller, so the batch is tried again with another source.
        if (source() != null || tries == MOST_TRIES) {
          throw e;
        }
      }
    }
  }

  private void forgeFrom(Tracee parent, int count, Consumer<Tracee> born) {
    for (int i = 0; i < count; i++) {
      pidPage.setAtIndex(JAVA_INT, i, 0);
    }
    int next = 0;
    try {
      long page = image.base() + Abi.IMAGE_PID_PAGE_OFFSET;
      tracer.startCloning(parent, Abi.CHILD_STUB_FLAGS, page, count, STEP);
      int last = count - 1;
      boolean lastStopped =
          tracer.pollNewborn(pidPage.address() + (long) last * Integer.BYTES) == 1;
      awaitSource(parent, lastStopped);
      while (next < count) {
        int pid = pidPage.getAtIndex(JAVA_INT, next);
        if (pid == 0) {
          int errno = (int) -tracer.result();
          throw Failures.make().systemCall("clone", errno, STEP, CloneAdvice.of(errno));
        }
        Tracee child = new Tracee(pid);
        boolean alive = (next == last && lastStopped) || stops(child);
        next++;
        if (alive) {
          give(child, born);
        }
      }
    } catch (RuntimeException e) {
      reapNewborn(next, count, e);
      throw e;
    } catch (Error e) {
      // There may be no memory to reap them; the sweep does. The source may still be cloning.
      for (int i = next; i < count; i++) {
        int pid = pidPage.getAtIndex(JAVA_INT, i);
        if (pid != 0) {
          ProcessCalls.kill(pid, Abi.SIGKILL);
        }
      }
      parent.kill();
      throw e;
    }
  }

  /** Passes a stub on; one that is registered by half is killed, and the sweep reaps it. */
  private static void give(Tracee child, Consumer<Tracee> born) {
    try {
      born.accept(child);
    } catch (RuntimeException | Error e) {
      child.kill();
      throw e;
    }
  }

  /**
   * Waits for the stop of the source.
   *
   * @param complete whether all pids are there; then the reason of the stop does not matter
   */
  private void awaitSource(Tracee parent, boolean complete) {
    if (complete) {
      tracer.awaitStop(parent, STEP);
    } else {
      tracer.awaitTrap(parent, image.address(ImageSymbols.STUB_CLONE_MANY_DONE), STEP);
    }
  }

  /** Whether a new stub reached its first stop; if not, another process killed it. */
  private boolean stops(Tracee child) {
    try {
      tracer.awaitStop(child, STEP);
      return true;
    } catch (StubDiedException e) {
      return false;
    }
  }

  /** Kills and reaps the stubs of a batch that were made and not passed on. */
  private void reapNewborn(int from, int to, RuntimeException cause) {
    for (int i = from; i < to; i++) {
      int pid = pidPage.getAtIndex(JAVA_INT, i);
      if (pid != 0) {
        try {
          tracer.reaper().killAndReap(new Tracee(pid));
        } catch (RuntimeException e) {
          cause.addSuppressed(e);
        }
      }
    }
  }

  @Override
  public void kill(Tracee stub) {
    stub.kill();
  }

  @Override
  public void discard(Tracee stub) {
    tracer.reaper().killAndReap(stub);
  }

  /** Kills the source. Stubs that were made from it live on. */
  @Override
  public void close() {
    if (pidPage.equals(MemorySegment.NULL)) {
      return; // begin was not called, or failed
    }
    Tracee living = source();
    if (living != null) {
      tracer.reaper().killAndReap(living);
    }
    MemoryCalls.unmap(pidPage.address(), Abi.IMAGE_PAGE);
    pidPage = MemorySegment.NULL;
  }
}
