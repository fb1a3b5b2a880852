package dev.stubpool.bench.tracer;

import dev.stubpool.filter.StubFilter;
import dev.stubpool.forge.Forge;
import dev.stubpool.forge.StubSpec;
import dev.stubpool.forge.TestHooks;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
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

  final StopRunner tracer =
      new StopRunner(TestHooks.NONE.patience(), TestHooks.NONE.armParentDeathSignal(), death -> {});
  final Forge forge =
      new Forge(new StubSpec(filter(), LOWEST, HIGHEST, Abi.SIGCHLD, TestHooks.NONE), () -> {});

  {
    forge.begin(tracer);
  }

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
    stubs.forEach(tracer.reaper()::killAndReap);
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
