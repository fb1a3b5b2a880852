package dev.stubpool.bench.tracer;

import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.ptrace.Tracee;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * A stub with so many written pages: a copy of a template, or a fresh stub into which all is mapped
 * and written again. Beside the floor's rows of the same names.
 */
public class SpawnBenchmark extends TracerBenchmark {
  /** Written pages, half of them on each side of the image. */
  @Param({"0", "256", "2560"})
  public int pages;

  private Dirt dirt;
  private Tracee template;

  /** A template. */
  @Setup
  public void makeTemplate() {
    dirt = new Dirt(own.tracer, pages / 2);
    template = own.forgeOne();
    own.stubs.clear();
    dirt.apply(template);
  }

  /** Kills the copy that was made. */
  @Setup(Level.Invocation)
  public void makeRoom() {
    own.killAll();
  }

  /** Row {@code spawn_child_PAGES}. */
  @Benchmark
  @Row(
      group = Group.SPAWN_CHILD,
      name = "spawn_child_{pages}",
      floor = "spawn_child_{pages}",
      params = "pages=0,256,2560,25600")
  public Tracee spawnChild() {
    Tracee copy = own.forge.copy(template);
    own.stubs.add(copy);
    return copy;
  }

  /** Row {@code map_again_PAGES}. */
  @Benchmark
  @Row(
      group = Group.MAP_AGAIN,
      name = "map_again_{pages}",
      floor = "map_again_{pages}",
      params = "pages=256,2560")
  public Tracee mapAgain() {
    Tracee stub = own.forgeOne();
    dirt.apply(stub);
    return stub;
  }

  @Override
  public void end() {
    own.tracer.reaper().killAndReap(template);
    super.end();
  }
}
