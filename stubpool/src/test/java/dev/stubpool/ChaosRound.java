package dev.stubpool;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.testing.Proc;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** One pool's life under {@link ChaosHolder}s and a {@link ChaosKiller}, and what must be after. */
final class ChaosRound {
  /** Each page of the host file is full of its number. */
  static final int HOST_FILE_PAGES = 8;

  private static final int THREADS = 16;
  private static final int ACQUIRES_AFTER = 100;
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final long BETWEEN_COLLECTIONS = Duration.ofMillis(200).toNanos();

  /**
   * A kind of pool and of attack.
   *
   * @param kills whether others kill stubs and sources; if not, they only send signals
   * @param closedUnderFire whether the pool is closed in the middle of it all
   */
  record Variant(StubPoolOptions options, boolean kills, boolean closedUnderFire) {
    @Override
    public String toString() {
      return options.name();
    }
  }

  private final Variant variant;
  private final Path hostFile;
  private final StubPool pool;
  private final List<ChaosHolder> holders = new ArrayList<>();
  private final ChaosKiller killer;

  /** Who has which process: nobody else may get it. */
  private final Map<Integer, ChaosHolder.Lease> held = new ConcurrentHashMap<>();

  private final Queue<ChaosHolder.Lease> toClose = new ConcurrentLinkedQueue<>();
  private final Queue<CompletableFuture<String>> deaths = new ConcurrentLinkedQueue<>();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final AtomicReference<MemoryFile> sharedFile = new AtomicReference<>();
  private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();
  private volatile boolean over;
  private volatile boolean closing;

  ChaosRound(Variant variant, Path hostFile, long seed) {
    this.variant = variant;
    this.hostFile = hostFile;
    this.pool = StubPool.open(variant.options());
    Random random = new Random(seed);
    for (int i = 0; i < THREADS; i++) {
      holders.add(new ChaosHolder(this, random.nextLong()));
    }
    killer = new ChaosKiller(this, random.nextLong());
  }

  /** Lets it happen for so long, then looks whether all is well. */
  void run(Duration length) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      String name = "chaos-holder-" + i;
      Thread.Builder builder =
          i % 2 == 0 ? Thread.ofPlatform().name(name) : Thread.ofVirtual().name(name);
      threads.add(builder.start(holders.get(i)));
    }
    Thread killing = Thread.ofPlatform().name("chaos-killer").start(killer);
    Thread collecting = Thread.ofPlatform().name("chaos-collector").start(this::collect);
    long end = System.nanoTime() + length.toNanos();
    while (failures.isEmpty() && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(1_000_000);
    }
    if (variant.closedUnderFire()) {
      closing = true;
      pool.close();
      checkNothingLeft();
    }
    over = true;
    for (Thread thread : threads) {
      thread.join();
    }
    killing.join();
    collecting.join();
    ChaosHolder.Lease lease;
    while ((lease = toClose.poll()) != null) {
      lease.stub.close();
    }
    shareFileNoMore();
    rethrow();
    if (!variant.closedUnderFire()) {
      checkAtRest();
      closing = true;
      pool.close();
      checkNothingLeft();
    }
    checkDeaths();
    rethrow();
  }

  /** Lost leases are noticed when their handles are collected. */
  private void collect() {
    while (!over) {
      System.gc();
      LockSupport.parkNanos(BETWEEN_COLLECTIONS);
    }
  }

  private void checkAtRest() {
    await(
        "all leases ended, nobody dead or dying",
        () -> {
          StubPoolStats stats = pool.stats();
          if (stats.leased() != 0) {
            System.gc(); // lost ones are noticed when their handles are collected
          }
          return stats.leased() == 0
              && stats.resetting() == 0
              && stats.forging() == 0
              && stats.waiting() == 0
              && stats.idle() >= variant.options().minIdle()
              && allStopped();
        });
    for (int i = 0; i < ACQUIRES_AFTER; i++) {
      try (Stub stub = pool.acquire(SOON)) {
        long pid = stub.syscall(Abi.SYS_getpid);
        if (pid != stub.pid()) {
          throw new AssertionError("after the chaos stub " + stub.pid() + " says it is " + pid);
        }
      }
    }
    List<Stub> all = new ArrayList<>();
    for (int i = 0; i < variant.options().maxStubs(); i++) {
      all.add(pool.acquire(SOON));
    }
    long different = all.stream().mapToInt(Stub::pid).distinct().count();
    if (different != all.size()) {
      throw new AssertionError(all.size() + " leases of " + different + " stubs");
    }
    all.forEach(Stub::close);
    await("all idle again", () -> pool.stats().idle() == pool.stats().total());
    await(
        "none unaccounted for",
        () -> {
          StubPoolStats stats = pool.stats();
          return stats.created() == stats.total() + stats.discarded() + stats.died();
        });
    await(
        "no process but stubs and source",
        () -> {
          StubPoolStats stats = pool.stats();
          return Proc.children().size() == stats.total() + (pool.sourcePid() == 0 ? 0 : 1);
        });
  }

  private void await(String what, BooleanSupplier condition) {
    try {
      Proc.await(what, condition);
    } catch (AssertionError e) {
      throw new AssertionError(what + ", but: " + pool + processes(), e);
    }
  }

  private static List<String> processes() {
    return Proc.children().stream()
        .map(pid -> "\n  " + ChaosKiller.read("/proc/" + pid + "/stat").strip())
        .toList();
  }

  /** Whether no child is dead or dying: all wait for their tracer. */
  private static boolean allStopped() {
    return Proc.children().stream()
        .map(pid -> ChaosKiller.read("/proc/" + pid + "/stat"))
        .allMatch(stat -> stat.startsWith(") t ", stat.lastIndexOf(')')));
  }

  private void checkNothingLeft() {
    List<String> left = processes();
    if (!left.isEmpty()) {
      throw new AssertionError("left when the pool was closed: " + left);
    }
    StubPoolStats stats = pool.stats();
    if (stats.total() != 0 || stats.idle() != 0 || stats.leased() != 0) {
      throw new AssertionError("counts of a closed pool: " + stats);
    }
  }

  private void checkDeaths() {
    for (CompletableFuture<String> death : deaths) {
      Proc.await("an end of onDeath()", death::isDone);
      try {
        String how = death.join();
        if (!how.equals("killed by SIGKILL")) {
          throw new AssertionError("a stub died otherwise: " + how);
        }
        count("onDeath: died");
      } catch (CompletionException e) {
        if (!(e.getCause() instanceof CancellationException)) {
          throw new AssertionError("onDeath failed", e);
        }
        count("onDeath: lease closed");
      }
    }
  }

  private void shareFileNoMore() {
    MemoryFile last = sharedFile.getAndSet(null);
    if (last != null) {
      last.close();
    }
  }

  private void rethrow() {
    Throwable first = failures.poll();
    if (first != null) {
      AssertionError error = new AssertionError("round " + variant + " of " + pool, first);
      failures.forEach(error::addSuppressed);
      throw error;
    }
  }

  // ---- for its threads ----

  Variant variant() {
    return variant;
  }

  StubPool pool() {
    return pool;
  }

  boolean isOver() {
    return over || !failures.isEmpty();
  }

  boolean isClosing() {
    return closing;
  }

  void fail(Throwable e) {
    failures.add(e);
  }

  /** A lease begins: nobody has this process, unless he does not know yet that his is dead. */
  void begin(ChaosHolder.Lease lease) {
    ChaosHolder.Lease other = held.put(lease.pid, lease);
    if (other != null && other.stub.state() != StubState.DEAD) {
      throw new AssertionError("two holders: " + lease.stub + " and " + other.stub);
    }
  }

  /** Must come before the stub can be another's. */
  void end(ChaosHolder.Lease lease) {
    held.remove(lease.pid, lease);
  }

  /** Ends a lease without closing it. */
  void drop(ChaosHolder.Lease lease) {
    count("dropped");
    end(lease);
  }

  void giveToClose(ChaosHolder.Lease lease) {
    toClose.add(lease);
  }

  ChaosHolder.Lease takeToClose() {
    return toClose.poll();
  }

  Collection<Integer> held() {
    return held.keySet();
  }

  void interruptAny(Random random) {
    holders.get(random.nextInt(holders.size())).interrupt();
  }

  void watch(CompletableFuture<String> death) {
    deaths.add(death);
  }

  Path hostFile() {
    return hostFile;
  }

  MemoryFile sharedFile() {
    return sharedFile.get();
  }

  /** Replaces the file; the old one is the caller's to close. */
  MemoryFile shareFile(MemoryFile file) {
    return sharedFile.getAndSet(file);
  }

  void count(String what) {
    counts.computeIfAbsent(what, key -> new LongAdder()).increment();
  }

  long counted(String what) {
    LongAdder count = counts.get(what);
    return count == null ? 0 : count.sum();
  }

  // ---- for who watches ----

  /** The threads that have been in one call for longer than so. */
  List<String> stuck(long nanos) {
    List<String> stuck = new ArrayList<>();
    for (ChaosHolder holder : holders) {
      String what = holder.stuck(nanos);
      if (what != null) {
        stuck.add(what);
      }
    }
    return stuck;
  }

  @Override
  public String toString() {
    return variant + ": " + pool.stats() + "; " + killer + "; " + new TreeMap<>(counts);
  }
}
