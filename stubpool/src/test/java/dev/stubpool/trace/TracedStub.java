package dev.stubpool.trace;

import dev.stubpool.filter.MappableWindow;
import dev.stubpool.filter.StubFilter;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.StubImage;
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
  final Tracer tracer;
  final Forge forge;
  private final List<Tracee> stubs = new ArrayList<>();

  TracedStub() {
    this(Seams.NONE);
  }

  TracedStub(Duration patience) {
    this(new Seams(true, true, patience));
  }

  private TracedStub(Seams seams) {
    tracer = new Tracer(seams.patience(), seams.armParentDeathSignal(), stubs::remove);
    forge =
        new Forge(
            tracer,
            new StubSpec(StubFilter.program(image, window, LOWEST), LOWEST, HIGHEST, Abi.SIGCHLD),
            seams);
  }

  /** A new stub. */
  Tracee forge() {
    forge.forge(1, stubs::add);
    return stubs.getLast();
  }

  @Override
  public void close() {
    for (Tracee stub : List.copyOf(stubs)) {
      tracer.killAndBury(stub);
    }
    forge.close();
    tracer.close();
    window.close();
  }
}
