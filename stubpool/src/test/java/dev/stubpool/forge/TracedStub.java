package dev.stubpool.forge;

import dev.stubpool.filter.StubFilter;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.seccomp.SeccompPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Stubs traced by the test's own thread, with no pool between, so that tests can do what no caller
 * may.
 */
final class TracedStub implements AutoCloseable {
  static final long LOWEST = 0x10000;
  static final long HIGHEST = 0x7fff_ffff_f000L;

  final StubImage image = StubImage.get();
  final MappableWindow window = MappableWindow.open();
  final SeccompPolicy policy = StubFilter.policy(image, window, LOWEST);
  final StopRunner tracer;
  final Forge forge;
  private final List<Tracee> stubs = new ArrayList<>();

  TracedStub() {
    this(TestHooks.NONE);
  }

  TracedStub(Duration patience) {
    this(new TestHooks(true, true, patience));
  }

  private TracedStub(TestHooks hooks) {
    tracer = new StopRunner(hooks.patience(), hooks.armParentDeathSignal(), stubs::remove);
    forge =
        new Forge(
            new StubSpec(
                StubFilter.program(image, window, LOWEST), LOWEST, HIGHEST, Abi.SIGCHLD, hooks),
            () -> {});
    forge.begin(tracer);
  }

  /** A new stub. */
  Tracee forge() {
    forge.forge(1, stubs::add);
    return stubs.getLast();
  }

  @Override
  public void close() {
    for (Tracee stub : List.copyOf(stubs)) {
      tracer.reaper().killAndReap(stub);
    }
    forge.close();
    tracer.close();
    window.close();
  }
}
