package dev.stubpool.bench.tracer;

import dev.stubpool.bench.FloorLine;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Program;
import dev.stubpool.bench.report.Row;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.forge.HeapMappings;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.image.SourceClone;
import dev.stubpool.nativestubs.image.SourceClone.Range;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.ptrace.Tracee;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What it costs a JVM with a touched heap to open a pool. A program rather than a JMH benchmark:
 * heap and samples are few and large. Run it with a heap of a fixed size larger than what it
 * touches, and pages that are not touched beforehand: {@code -Xms6g -Xmx6g}.
 *
 * <p>Prints the floor's JSON objects, with N GiB of arrays touched: {@code source_clone_Ngib}, the
 * pause of the clone alone, the heap left out as the library does; {@code retouch_Ngib}, writing
 * one byte to each of these pages after the child is gone, per MiB; both also {@code _naive}, with
 * the heap not left out; and {@code source_birth_Ngib}, which the floor does not have: the whole of
 * a source's birth. The floor's process has no memory but what stands for the heap; a JVM's has 60
 * MB more, which are copied in any case.
 */
public final class SourceCloneBenchmark {
  private static final long MIB = 1 << 20;
  private static final long GIB = 1 << 30;

  /** An array and its header fill whole regions of the collector, whatever their size. */
  private static final int CHUNK = (int) (16 * MIB);

  private static final int ARRAY_HEADER = 16;
  private static final int WARM_UPS = 20;
  private static final Duration SETTLE = Duration.ofMillis(500);
  private static final double NANOS_A_MICRO = 1000;

  private final List<byte[]> touched = new ArrayList<>();
  private final OwnTracer own = new OwnTracer();
  private final byte[] filter = own.filter().toBytes();
  private final long pidPage =
      Failures.check(MemoryCalls.mapShared(Abi.IMAGE_PAGE), "mmap", "benchmark");

  private SourceCloneBenchmark() {}

  /**
   * Runs it.
   *
   * @param args the number of clones of each kind; then sizes in GiB, ascending
   */
  // G1 is what a JVM with such a heap has.
  @Program(
      jvm = {"-XX:+UseG1GC", "-XX:-AlwaysPreTouch", "-Xms6g", "-Xmx6g"},
      arguments = {"{clones}", "0", "1", "4"})
  @Row(
      group = Group.SOURCE_CLONE,
      name = "source_clone_{gib}gib",
      floor = "source_clone_{gib}gib",
      params = "gib=0,1")
  @Row(
      group = Group.SOURCE_CLONE,
      name = "source_clone_{gib}gib",
      floor = "source_clone_{gib}gib",
      params = "gib=4",
      gateMicros = 15_000)
  @Row(
      group = Group.SOURCE_CLONE,
      name = "source_clone_{gib}gib_naive",
      floor = "source_clone_{gib}gib_naive",
      params = "gib=1,4")
  @Row(
      group = Group.SOURCE_CLONE,
      name = "retouch_{gib}gib",
      floor = "retouch_{gib}gib",
      params = "gib=1,4")
  @Row(
      group = Group.SOURCE_CLONE,
      name = "retouch_{gib}gib_naive",
      floor = "retouch_{gib}gib_naive",
      params = "gib=1,4")
  @Row(group = Group.SOURCE_CLONE, name = "source_birth_{gib}gib", params = "gib=0,1,4")
  public static void main(String[] args) throws InterruptedException, IOException {
    int clones = Integer.parseInt(args[0]);
    SourceCloneBenchmark benchmark = new SourceCloneBenchmark();
    benchmark.warmUp();
    for (int i = 1; i < args.length; i++) {
      benchmark.measure(clones, Integer.parseInt(args[i]));
    }
    benchmark.own.close();
  }

  /** Lets the compiler do most of its work before anything is timed on its CPU. */
  private void warmUp() throws IOException {
    for (int i = 0; i < WARM_UPS; i++) {
      cloneAndKill(HeapMappings.among(ProcMaps.self()));
      birth();
    }
  }

  private void measure(int clones, int gib) throws InterruptedException, IOException {
    while (touched.size() * (long) CHUNK < gib * GIB) {
      touched.add(new byte[CHUNK - ARRAY_HEADER]);
    }
    touch();
    Thread.sleep(SETTLE); // compiler and collector have work, on the same CPU
    List<Double> pause = new ArrayList<>();
    List<Double> retouch = new ArrayList<>();
    List<Double> naivePause = new ArrayList<>();
    List<Double> naiveRetouch = new ArrayList<>();
    List<Double> birth = new ArrayList<>();
    for (int i = 0; i < clones; i++) {
      pause.add(cloneAndKill(HeapMappings.among(ProcMaps.self())));
      retouch.add(touch());
      naivePause.add(cloneAndKill(List.of()));
      naiveRetouch.add(touch());
      birth.add(birth());
      touch();
    }
    report("source_clone_" + gib + "gib", "us", pause);
    report("source_birth_" + gib + "gib", "us", birth);
    if (gib > 0) {
      report("retouch_" + gib + "gib", "us/MiB", retouch);
      report("source_clone_" + gib + "gib_naive", "us", naivePause);
      report("retouch_" + gib + "gib_naive", "us/MiB", naiveRetouch);
    }
  }

  /** The time of the clone, in microseconds. */
  private double cloneAndKill(List<Range> excluded) {
    try (SourceClone clone = new SourceClone(filter, pidPage, null, excluded, Abi.SIGCHLD, true)) {
      long start = System.nanoTime();
      long pid = clone.start();
      long end = System.nanoTime();
      Failures.check(pid, "clone", "benchmark");
      if (clone.rangesExcluded() != excluded.size()) {
        throw new IllegalStateException(
            "the kernel left out " + clone.rangesExcluded() + " of " + excluded);
      }
      own.tracer.reaper().killAndReap(new Tracee((int) pid));
      return (end - start) / NANOS_A_MICRO;
    }
  }

  /** The time of a whole birth, in microseconds. */
  private double birth() {
    long start = System.nanoTime();
    own.forge.ensureSource();
    long end = System.nanoTime();
    own.tracer.reaper().killAndReap(own.forge.source());
    return (end - start) / NANOS_A_MICRO;
  }

  /** Writes to each page; the time in microseconds per MiB. */
  private double touch() {
    long start = System.nanoTime();
    for (byte[] chunk : touched) {
      for (int i = 0; i < chunk.length; i += Abi.IMAGE_PAGE) {
        chunk[i]++;
      }
    }
    long end = System.nanoTime();
    return (end - start) / NANOS_A_MICRO / Math.max(1, touched.size() * (CHUNK / MIB));
  }

  private static void report(String name, String unit, List<Double> samples) {
    FloorLine.print(name, unit, samples.stream().mapToDouble(x -> x).toArray());
  }
}
