package dev.stubpool.trace;

import dev.stubpool.filter.MappableWindow;
import dev.stubpool.filter.StubFilter;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.StubImage;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.util.ArrayList;
import java.util.List;

/** Stubs traced by the benchmark's own thread, with no pool between, as in the floor. */
final class OwnTracer implements AutoCloseable {
  /** Bounds of a stub's address space, the floor's: fit for every machine that these run on. */
  static final long LOWEST = 0x10000;

  static final long HIGHEST = 0x7fff_ffff_f000L;

  /** Living stubs, each killed at the latest by {@link #close}. */
  final List<Tracee> stubs = new ArrayList<>();

  private final MappableWindow window = MappableWindow.open();

  final Tracer tracer =
      new Tracer(Seams.NONE.patience(), Seams.NONE.armParentDeathSignal(), death -> {});
  final Forge forge =
      new Forge(tracer, new StubSpec(filter(), LOWEST, HIGHEST, Abi.SIGCHLD), Seams.NONE);

  /** The seccomp program of stubs. */
  final BpfProgram filter() {
    return StubFilter.program(StubImage.get(), window, LOWEST);
  }

  /** Makes stubs in one injection. */
  void forge(int count) {
    forge.forge(count, stubs::add);
  }

  /** Makes one stub. */
  Tracee forgeOne() {
    forge(1);
    return stubs.getLast();
  }

  /** Kills and reaps all. */
  void killAll() {
    stubs.forEach(tracer::killAndBury);
    stubs.clear();
  }

  @Override
  public void close() {
    killAll();
    forge.close();
    tracer.close();
    window.close();
  }
}
