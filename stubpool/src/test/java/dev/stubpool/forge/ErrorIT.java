package dev.stubpool.forge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.filter.StubFilter;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.testing.Proc;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Errors where the tracer calls others: nothing that it had begun is lost or left running. */
class ErrorIT {
  private static final String STEP = "testing";

  private final List<Integer> told = new ArrayList<>();
  private int failures;
  private final StopRunner tracer = new StopRunner(TestHooks.NONE.patience(), true, this::died);
  private final MappableWindow window = MappableWindow.open();
  private final Forge forge = new Forge(spec(), () -> {});

  private StubSpec spec() {
    return new StubSpec(
        StubFilter.program(StubImage.get(), window, TracedStub.LOWEST),
        TracedStub.LOWEST,
        TracedStub.HIGHEST,
        Abi.SIGCHLD,
        TestHooks.NONE);
  }

  @BeforeEach
  void begin() {
    forge.begin(tracer);
  }

  private void died(Tracee tracee) {
    if (failures > 0) {
      failures--;
      throw new OutOfMemoryError("telling of a death");
    }
    told.add(tracee.pid());
  }

  @AfterEach
  void close() {
    forge.close();
    tracer.reaper().reapRest();
    tracer.close();
    window.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  private Tracee forge() {
    List<Tracee> born = new ArrayList<>();
    forge.forge(1, born::add);
    return born.getFirst();
  }

  @Test
  void shouldTellOfADeathUntilItIsHeard() {
    Tracee first = forge();
    Tracee second = forge();
    failures = 3;
    assertThatThrownBy(() -> tracer.reaper().killAndReap(first))
        .isInstanceOf(OutOfMemoryError.class);
    assertThatThrownBy(() -> tracer.reaper().killAndReap(second))
        .isInstanceOf(OutOfMemoryError.class);
    assertThatThrownBy(tracer.reaper()::retry).isInstanceOf(OutOfMemoryError.class);
    assertThat(told).isEmpty();
    tracer.reaper().retry();
    tracer.reaper().retry();
    assertThat(told).containsExactly(second.pid(), first.pid());
    assertThat(tracer.reaper().findDead()).isZero();
  }

  @Test
  void shouldLeaveNothingOfABatchThatFails() {
    for (int failing = 1; failing <= 5; failing++) {
      int last = failing;
      List<Tracee> born = new ArrayList<>();
      assertThatThrownBy(
              () ->
                  forge.forge(
                      5,
                      child -> {
                        if (born.size() + 1 == last) {
                          throw new OutOfMemoryError("a birth");
                        }
                        born.add(child);
                      }))
          .isInstanceOf(OutOfMemoryError.class);
      Proc.await("the ends of the others", () -> isSettled(born));
      for (Tracee stub : born) {
        assertThat(tracer.inject(stub, Abi.SYS_getpid, 0, 0, 0, 0, 0, 0, STEP))
            .isEqualTo(stub.pid());
        tracer.reaper().killAndReap(stub);
      }
      tracer.reaper().killAndReap(forge()); // of another source
    }
  }

  /** Buries what is found dead, as a pool does; whether these alone are left. */
  private boolean isSettled(List<Tracee> born) {
    int pid = tracer.reaper().findDead();
    Tracee source = forge.source();
    if (source != null && source.pid() == pid) {
      tracer.reaper().killAndReap(source);
    } else if (pid != 0) {
      tracer.reaper().reapStranger(pid);
    }
    return Proc.stubs().size() == born.size();
  }
}
