package dev.stubpool.cli.demo;

import dev.stubpool.AddressSpace;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.cli.inspect.StubMappings;
import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The steps of the demo. Each step checks its result, throws if it is wrong, and prints a summary.
 */
final class Demo {
  /**
   * Warm requests are timed in groups, because a single one takes no longer than reading the clock.
   */
  private static final int WARM_GROUP = 16;

  private static final Duration WARM_TIME = Duration.ofMillis(200);

  /** Batches are repeated until about this many stubs took part; the median is reported. */
  private static final int STUBS_TIMED = 1024;

  private static final int MOST_REPETITIONS = 16;
  private static final Duration MOST_TIME = Duration.ofMillis(500);

  private final int count;
  private final Figures figures;
  private final Census census;
  private final Narrator narrator;
  private final HoldPoint holdPoint;
  private final int repetitions;

  Demo(int count, Figures figures, Census census, Narrator narrator, HoldPoint holdPoint) {
    this.count = count;
    this.figures = figures;
    this.census = census;
    this.narrator = narrator;
    this.holdPoint = holdPoint;
    this.repetitions = Math.clamp(STUBS_TIMED / count, 1, MOST_REPETITIONS);
  }

  void run() {
    long forged = WarmUp.run();
    narrator.step(
        "warm up",
        String.format(
            Locale.ROOT,
            "%,d stubs forged and closed, so that the JVM compiles what is timed below",
            forged));
    try (StubPool pool = StubPool.open(options())) {
      lives(pool);
    }
    batch();
    narrator.step("close", "all stubs killed and reaped; /proc searched for any survivors");
  }

  private StubPoolOptions options() {
    return StubPoolOptions.builder()
        .name("demo")
        .minIdle(0)
        .maxStubs(count)
        .maxWaiters(count)
        .build();
  }

  private void lives(StubPool pool) {
    Rounds rounds = new Rounds(pool);
    source(pool);
    List<Stub> stubs = create(rounds);
    try (SampleFile file = SampleFile.open(pool)) {
      map(file, stubs);
      holdPoint.hold(pool, stubs);
      inject(rounds, stubs);
      recycle(pool, rounds, file, stubs);
    }
    acquireWarm(rounds);
  }

  private void source(StubPool pool) {
    int pid = pool.sourcePid();
    int instructions = pool.filter().length();
    census.see(pid);
    joinTracer(pid);
    figures.source(pid, instructions);
    narrator.step(
        "source",
        String.format(
            Locale.ROOT, "pid %d, forked from the JVM, emptied, locked by a seccomp filter", pid),
        String.format(
            Locale.ROOT, "of %d instructions; all stubs are cloned from it", instructions));
  }

  /**
   * Binds this thread, which measures, to the CPU of the tracer thread. Otherwise its placement by
   * the scheduler determines more than half of a request's time.
   */
  private static void joinTracer(int source) {
    try {
      ProcFs.SYSTEM
          .fields(source)
          .orElseThrow(() -> new CommandFailure("the source stub, " + source + ", is gone"))
          .onlyCpu()
          .ifPresent(ProcessCalls::bindTo);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Stub> create(Rounds rounds) {
    List<Stub> stubs = new ArrayList<>(count);
    long[] nanos = new long[count];
    for (int i = 0; i < count; i++) {
      nanos[i] = rounds.create(stubs);
    }
    stubs.forEach(stub -> census.see(stub.pid()));
    Distribution create = Distribution.ofNanos(nanos);
    figures.create(create);
    narrator.step(
        "create",
        String.format(
            Locale.ROOT, "%,d stubs, one per request, caller and tracer on one CPU:", count),
        create.toString());
    return stubs;
  }

  private void map(SampleFile file, List<Stub> stubs) {
    for (Stub stub : stubs) {
      file.mapInto(stub);
      file.checkIn(stub);
    }
    narrator.step(
        "map", "into each: " + file.describe(), "read back through each stub and compared");
  }

  private void inject(Rounds rounds, List<Stub> stubs) {
    long[] nanos = stubs.stream().mapToLong(rounds::inject).toArray();
    double micros = Distribution.ofNanos(nanos).p50();
    figures.injectMicros(micros);
    narrator.step(
        "inject",
        String.format(Locale.ROOT, "getpid in each returns its own pid: p50 %.1f us", micros));
  }

  private void recycle(StubPool pool, Rounds rounds, SampleFile file, List<Stub> stubs) {
    int[] pids = stubs.stream().mapToInt(Stub::pid).toArray();
    long[] nanos = new long[repetitions];
    int done = 0;
    long start = System.nanoTime();
    do {
      if (done > 0) {
        rounds.acquireWarm(count, stubs);
        stubs.forEach(file::mapInto);
        stubs.forEach(file::checkIn);
      }
      nanos[done++] = rounds.recycle(stubs) / count;
      stubs.clear();
    } while (goesOn(done, start));
    double micros = Distribution.ofNanos(Arrays.copyOf(nanos, done)).p50();
    figures.recycleMicros(micros);
    StubMappings sample = null;
    for (int pid : pids) {
      sample = checkEmpty(pid, pool.addressSpace());
    }
    narrator.step(
        "recycle",
        String.format(
            Locale.ROOT, "all leases closed, their mappings removed: %.1f us per stub;", micros),
        Stream.concat(
                Stream.of("all mappings of an idle stub, here " + pids[count - 1] + ":"),
                sample.all().stream().map(sample::line))
            .toArray(String[]::new));
  }

  /**
   * Checks that an idle stub has only its image and the mappings that the kernel gives every
   * process.
   */
  private static StubMappings checkEmpty(int pid, AddressSpace space) {
    try {
      StubMappings mappings = StubMappings.of(pid);
      for (Mapping mapping : mappings.all()) {
        boolean image = mapping.start() >= space.imageStart() && mapping.end() <= space.imageEnd();
        if (!image && !mapping.name().equals("[vsyscall]")) {
          throw new CommandFailure(
              "recycled stub " + pid + " still has a mapping: " + mappings.line(mapping));
        }
      }
      return mappings;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the mappings of stub " + pid, e);
    }
  }

  private void acquireWarm(Rounds rounds) {
    int group = Math.min(WARM_GROUP, count);
    List<Stub> stubs = new ArrayList<>(count);
    List<Long> nanos = new ArrayList<>();
    long start = System.nanoTime();
    do {
      for (int left = count; left >= group; left -= group) {
        nanos.add(rounds.acquireWarm(group, stubs) / group);
      }
      rounds.recycle(stubs);
      stubs.clear();
    } while (System.nanoTime() - start < WARM_TIME.toNanos());
    // The first half is warm-up for the JIT compiler.
    double median =
        Distribution.medianNanos(
            nanos.subList(nanos.size() / 2, nanos.size()).stream()
                .mapToLong(Long::longValue)
                .toArray());
    figures.acquireWarmNanos(median);
    narrator.step(
        "acquire",
        String.format(Locale.ROOT, "an idle stub, without a system call: p50 %.0f ns", median));
  }

  private boolean goesOn(int done, long start) {
    return done < repetitions && System.nanoTime() - start < MOST_TIME.toNanos();
  }

  private void batch() {
    long[] nanos = new long[repetitions];
    int done = 0;
    try (StubPool pool = StubPool.open(options())) {
      Rounds rounds = new Rounds(pool);
      census.see(pool.sourcePid());
      List<Stub> stubs = new ArrayList<>(count);
      long start = System.nanoTime();
      do {
        nanos[done++] = rounds.createAtOnce(count, stubs) / count;
        stubs.forEach(stub -> census.see(stub.pid()));
        rounds.discard(stubs);
      } while (goesOn(done, start));
    }
    double micros = Distribution.ofNanos(Arrays.copyOf(nanos, done)).p50();
    figures.batchMicros(micros);
    narrator.step(
        "batch",
        String.format(
            Locale.ROOT,
            "%,d requests at once, forged in batches: %.1f us per stub",
            count,
            micros));
  }
}
