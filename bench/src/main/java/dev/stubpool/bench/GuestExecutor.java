package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.Affinity;
import dev.stubpool.Guest;
import dev.stubpool.OnRelease;
import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Runs JMH's workers as programs of guests, {@code -Djmh.executor=CUSTOM}: a guest is for the
 * thread that runs it. All are guests of one stub.
 */
public final class GuestExecutor extends AbstractExecutorService {
  /** Where the guests' code is. */
  private static final long CODE = 0x10_0000;

  /** Makes one call after the other. */
  static final long CALL = CODE;

  /** Reads from rdi, again and again. */
  static final long READ = CODE + 4;

  /** Writes a byte to each of ecx pages from rdi on, and makes a call. */
  static final long TOUCH = CODE + 9;

  private static final byte[] TEXT =
      HexFormat.of()
          .parseHex(
              "0f05ebfc" // syscall; jmp
                  + "488b07ebfb" // mov (%rdi), %rax; jmp
                  + "8807" // mov %al, (%rdi)
                  + "4881c700100000" // add $4096, %rdi
                  + "ffc9" // dec %ecx
                  + "75f3" // jnz
                  + "0f05"); // syscall

  private static final ThreadLocal<Guest> GUEST = new ThreadLocal<>();

  /** One a JVM, for JMH makes one executor. */
  private static final StubPool POOL =
      StubPool.open(
          StubPoolOptions.builder()
              .name("bench")
              .minIdle(0)
              .onRelease(OnRelease.DISCARD) // copies are not to stay
              .affinity(Affinity.ANY_CPU)
              .build());

  private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
  private final CountDownLatch running;
  private volatile boolean shutdown;

  /** Called by JMH. */
  public GuestExecutor(int threads, String prefix) {
    running = new CountDownLatch(threads);
    Stub stub = POOL.acquire();
    stub.memory().mapAnonymous(CODE, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    stub.memory().write(CODE, TEXT);
    stub.memory().protect(CODE, AddressSpace.PAGE_SIZE, Protection.READ_EXECUTE);
    for (int i = 0; i < threads; i++) {
      Thread.ofPlatform().daemon().name(prefix + i).start(() -> stub.run(this::serve));
    }
  }

  static StubPool pool() {
    return POOL;
  }

  /** The guest of the calling worker. */
  static Guest guest() {
    return GUEST.get();
  }

  private Void serve(Guest guest) {
    GUEST.set(guest);
    try {
      while (!shutdown) {
        tasks.take().run();
      }
    } catch (InterruptedException e) {
      shutdown = true; // nobody interrupts a worker to go on
    } finally {
      running.countDown();
    }
    return null;
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  @Override
  public void shutdown() {
    shutdown = true;
    for (long i = running.getCount(); i > 0; i--) {
      tasks.add(() -> {});
    }
  }

  @Override
  public List<Runnable> shutdownNow() {
    shutdown();
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return shutdown;
  }

  @Override
  public boolean isTerminated() {
    return running.getCount() == 0 && POOL.isClosed();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    if (!running.await(timeout, unit)) {
      return false;
    }
    POOL.close();
    return true;
  }
}
