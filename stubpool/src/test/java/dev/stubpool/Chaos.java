package dev.stubpool;

import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * The program of {@link ChaosIT}: rounds of chaos, each with a pool of its own; looks after that
 * nothing hangs, and that no round leaves anything behind. Arguments: seed, seconds.
 */
final class Chaos {
  private static final long STUCK_NANOS = Duration.ofSeconds(30).toNanos();
  private static final int STATUS_WRONG = 1;
  private static final int STATUS_HUNG = 3;

  /** A JVM's own mappings come and go: threads, code, arenas of malloc. */
  private static final int MAPPINGS_SLACK = 40;

  private static final long HEAP_SLACK = 16L << 20;

  private final Random random;
  private final Path hostFile;
  private volatile ChaosRound round;

  /** Since when the main thread does what it does, such as closing a pool. */
  private volatile long since = System.nanoTime();

  private volatile Duration patience = Duration.ofSeconds(60);

  private Chaos(long seed, Path hostFile) {
    this.random = new Random(seed);
    this.hostFile = hostFile;
  }

  public static void main(String[] arguments) throws Exception {
    Path file = Files.createTempFile("stubpool-chaos", "");
    int status = STATUS_WRONG;
    try {
      byte[] content = new byte[ChaosRound.HOST_FILE_PAGES * AddressSpace.PAGE_SIZE];
      for (int i = 0; i < content.length; i++) {
        content[i] = (byte) (i / AddressSpace.PAGE_SIZE);
      }
      Files.write(file, content);
      new Chaos(Long.parseLong(arguments[0]), file).run(Integer.parseInt(arguments[1]));
      System.out.println("chaos: all is well");
      status = 0;
    } catch (Throwable e) {
      e.printStackTrace(System.out);
    } finally {
      Files.delete(file);
    }
    System.exit(status);
  }

  private void run(int seconds) throws Exception {
    Thread main = Thread.currentThread();
    Thread.ofPlatform().daemon().name("chaos-watchdog").start(() -> watch(main));
    for (ChaosRound.Variant variant : variants()) {
      play(variant, Duration.ofMillis(400)); // classes, code, arenas
    }
    Possessions before = Possessions.count();
    long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
    long length = Math.max(1000, seconds * 1000L / 16);
    long lost = 0;
    while (System.nanoTime() - end < 0) {
      for (ChaosRound.Variant variant : variants()) {
        boolean brief = variant.closedUnderFire();
        lost += play(variant, Duration.ofMillis(brief ? random.nextInt(300) : length));
      }
      for (int i = 0; i < 5; i++) {
        play(variants().getLast(), Duration.ofMillis(random.nextInt(200)));
      }
    }
    if (lost == 0) {
      throw new AssertionError("no lease was lost and found");
    }
    before.awaitAgain();
  }

  private static List<ChaosRound.Variant> variants() {
    StubPoolOptions.Builder small =
        StubPoolOptions.builder().minIdle(8).maxStubs(24).idleTimeout(Duration.ofMillis(30));
    List<ChaosRound.Variant> variants = new ArrayList<>();
    variants.add(new ChaosRound.Variant(small.name("recycle").build(), true, false));
    variants.add(
        new ChaosRound.Variant(
            small.name("signals").minIdle(0).maxWaiters(4).build(), false, false));
    variants.add(
        new ChaosRound.Variant(
            small.name("discard").minIdle(8).maxWaiters(100).onRelease(OnRelease.DISCARD).build(),
            true,
            false));
    variants.add(
        new ChaosRound.Variant(
            small.name("closed").maxStubs(12).onRelease(OnRelease.RECYCLE).build(), true, true));
    return variants;
  }

  /** How many leases were lost and found. */
  private long play(ChaosRound.Variant variant, Duration length) throws InterruptedException {
    patience = length.plus(Duration.ofNanos(6 * STUCK_NANOS));
    since = System.nanoTime();
    ChaosRound next = new ChaosRound(variant, hostFile, random.nextLong());
    round = next;
    next.run(length);
    System.out.println("chaos: " + next);
    int placeholders = Descriptors.leadingTo("/");
    if (placeholders != 0) {
      throw new AssertionError(placeholders + " mappable descriptors were not given back");
    }
    return next.pool().stats().lost();
  }

  private void watch(Thread main) {
    while (true) {
      LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
      ChaosRound now = round;
      List<String> stuck = now == null ? List.of() : now.stuck(STUCK_NANOS);
      boolean mainIsStuck = System.nanoTime() - since > patience.toNanos();
      if (!stuck.isEmpty() || mainIsStuck) {
        System.out.println("chaos: hangs: " + now);
        for (int pid : Proc.children()) {
          System.out.println(ChaosKiller.read("/proc/" + pid + "/stat").strip());
          System.out.println("  " + ChaosKiller.read("/proc/" + pid + "/wchan"));
        }
        for (Map.Entry<Thread, StackTraceElement[]> thread :
            Thread.getAllStackTraces().entrySet()) {
          System.out.println((thread.getKey() == main ? "main " : "") + thread.getKey());
          for (StackTraceElement frame : thread.getValue()) {
            System.out.println("    at " + frame);
          }
        }
        stuck.forEach(what -> System.out.println("chaos: stuck: " + what));
        Runtime.getRuntime().halt(STATUS_HUNG);
      }
    }
  }

  /** What this process has of what can leak. */
  private record Possessions(
      Map<String, Integer> descriptors, long memoryFiles, long mappings, long heap) {

    static Possessions count() throws IOException {
      System.gc();
      Map<String, Integer> descriptors = new TreeMap<>();
      try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
        for (Path descriptor : all) {
          try {
            String target = Files.readSymbolicLink(descriptor).toString();
            descriptors.merge(target.replaceAll("/proc/\\d+/fd", "/proc/fd"), 1, Integer::sum);
          } catch (IOException e) {
            descriptors.merge("closed meanwhile", 0, Integer::sum);
          }
        }
      }
      descriptors.remove("closed meanwhile");
      List<String> mappings = ChaosKiller.read("/proc/self/maps").lines().toList();
      Runtime runtime = Runtime.getRuntime();
      return new Possessions(
          descriptors,
          mappings.stream().filter(line -> line.contains("memfd:")).count(),
          mappings.size(),
          runtime.totalMemory() - runtime.freeMemory());
    }

    /** What was mapped for a pool goes with its last handle, some time after a collection. */
    void awaitAgain() throws IOException {
      try {
        Proc.await("as little as before", this::isAgain);
      } catch (AssertionError e) {
        throw new AssertionError("before " + this + ", after " + count(), e);
      }
      System.out.println("chaos: before " + this + ", after " + count());
    }

    private boolean isAgain() {
      try {
        Possessions now = count();
        return now.descriptors.equals(descriptors)
            && now.memoryFiles <= memoryFiles
            && now.mappings <= mappings + MAPPINGS_SLACK
            && now.heap <= heap + HEAP_SLACK;
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }
}
