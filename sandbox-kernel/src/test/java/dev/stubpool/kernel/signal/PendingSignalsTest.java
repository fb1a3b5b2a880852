package dev.stubpool.kernel.signal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Signal;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PendingSignalsTest {
  private static final long ALL = -1;
  private static final int LIMIT = 4096;

  private final PendingSignals pending = new PendingSignals();

  private static SignalInfo info(int signal, int pid) {
    return SignalInfo.ofProcess(signal, SignalInfo.SI_USER, pid, 0);
  }

  private List<SignalInfo> takeAll() {
    List<SignalInfo> taken = new ArrayList<>();
    while (pending.set() != 0) {
      taken.add(pending.take(ALL));
    }
    return taken;
  }

  @Test
  void shouldGiveTheLowestFirstAndQueueThoseOfRealTime() {
    SignalInfo first = info(40, 1);
    SignalInfo second = info(40, 2);
    SignalInfo once = info(Signal.SIGTERM, 3);
    assertThat(pending.add(first)).isTrue();
    assertThat(pending.add(once)).isTrue();
    assertThat(pending.add(second)).isTrue();
    assertThat(pending.add(info(Signal.SIGTERM, 4))).isFalse();
    assertThat(pending.set()).isEqualTo(Signal.bit(40) | Signal.bit(Signal.SIGTERM));
    assertThat(takeAll()).containsExactly(once, first, second);
    assertThat(pending.take(ALL)).isNull();
  }

  @Test
  void shouldGiveWhatInstructionsCauseBeforeAllElse() {
    SignalInfo fault = SignalInfo.ofFault(Signal.SIGSEGV, 1, 0x1000);
    SignalInfo other = info(Signal.SIGHUP, 1);
    assertThat(pending.add(other)).isTrue();
    assertThat(pending.add(fault)).isTrue();
    assertThat(takeAll()).containsExactly(fault, other);
  }

  @Test
  void shouldTakeOnlyWhatIsWanted() {
    assertThat(pending.add(info(Signal.SIGINT, 1))).isTrue();
    assertThat(pending.take(~Signal.bit(Signal.SIGINT))).isNull();
    pending.drop(Signal.bit(Signal.SIGINT));
    assertThat(pending.set()).isZero();
  }

  @Test
  void shouldQueueNoMoreThanItsLimitButOneOfEach() {
    for (int i = 0; i < LIMIT; i++) {
      assertThat(pending.add(info(40, i))).isTrue();
    }
    assertThat(pending.add(info(40, LIMIT))).isFalse();
    assertThat(pending.add(info(41, LIMIT))).isTrue();
    assertThat(pending.isFull()).isTrue();
    assertThat(takeAll()).hasSize(LIMIT + 1);
  }

  @Test
  void shouldTellTheSourceWhenOneIsTakenOrDropped() {
    List<String> told = new ArrayList<>();
    SignalInfo.Source source =
        () -> {
          told.add("taken");
          return 7;
        };
    assertThat(pending.add(info(Signal.SIGALRM, 1))).isTrue();
    assertThat(pending.add(SignalInfo.ofTimer(Signal.SIGALRM, 3, 5, source))).isTrue();
    assertThat(pending.take(ALL)).isEqualTo(info(Signal.SIGALRM, 1));
    assertThat(told).isEmpty();
    assertThat(pending.take(ALL).fields()).isEqualTo(new SignalInfo.Expiry(3, 7, 5));
    assertThat(pending.add(SignalInfo.ofTimer(Signal.SIGALRM, 3, 5, source))).isTrue();
    pending.drop(ALL);
    assertThat(told).hasSize(2);
  }
}
