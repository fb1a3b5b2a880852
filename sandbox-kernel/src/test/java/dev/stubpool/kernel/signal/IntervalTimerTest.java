package dev.stubpool.kernel.signal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

class IntervalTimerTest {
  private final Clock clock = new Clock();
  private int sent;
  private boolean ignored;
  private final IntervalTimer timer =
      new IntervalTimer(
          clock,
          _ -> {
            sent++;
            return !ignored;
          });

  /** A clock that stands until it is told to go on. */
  private static final class Clock implements AlarmClock {
    private record Entry(long time, Runnable action) {}

    private final List<Entry> entries = new ArrayList<>();
    private long now;

    @Override
    public long now() {
      return now;
    }

    @Override
    public Alarm at(long time, Runnable action) {
      Entry entry = new Entry(time, action);
      entries.add(entry);
      return () -> entries.remove(entry);
    }

    void advance(long millis) {
      long end = now + Duration.ofMillis(millis).toNanos();
      while (true) {
        var due =
            entries.stream()
                .filter(entry -> entry.time <= end)
                .min(Comparator.comparingLong(Entry::time));
        if (due.isEmpty()) {
          now = end;
          return;
        }
        entries.remove(due.get());
        now = Math.max(now, due.get().time);
        due.get().action.run();
      }
    }
  }

  private void set(int first, int interval) {
    timer.set(Duration.ofMillis(first), Duration.ofMillis(interval));
  }

  @Test
  void shouldExpireOnce() {
    set(50, 0);
    clock.advance(20);
    assertThat(timer.left()).isEqualTo(Duration.ofMillis(30));
    clock.advance(30);
    assertThat(sent).isOne();
    assertThat(timer.taken()).isZero();
    clock.advance(1000);
    assertThat(sent).isOne();
    assertThat(timer.left()).isZero();
  }

  @Test
  void shouldExpireAgainAtItsIntervalOnceTheLastSignalWasTaken() {
    set(50, 10);
    clock.advance(50);
    assertThat(timer.taken()).isZero();
    clock.advance(10);
    assertThat(sent).isEqualTo(2);
    clock.advance(35);
    assertThat(sent).isEqualTo(2);
    assertThat(timer.left()).isEqualTo(Duration.ofMillis(5));
    assertThat(timer.taken()).isEqualTo(3);
    assertThat(timer.overrun()).isEqualTo(3);
    clock.advance(5);
    assertThat(sent).isEqualTo(3);
  }

  @Test
  void shouldNotExpireOnceItIsDisarmedAndBeArmedAnew() {
    set(50, 10);
    set(0, 0);
    clock.advance(100);
    assertThat(sent).isZero();
    set(10, 0);
    clock.advance(10);
    assertThat(sent).isOne();
  }

  @Test
  void shouldSendNothingMoreWhileASignalOfEarlierWaits() {
    set(10, 0);
    clock.advance(10);
    set(10, 5);
    clock.advance(10);
    assertThat(sent).isOne();
    assertThat(timer.taken()).isZero();
    clock.advance(5);
    assertThat(sent).isEqualTo(2);
  }

  @Test
  void shouldRestBetweenSignalsThatAreIgnored() {
    ignored = true;
    timer.set(Duration.ofNanos(1), Duration.ofNanos(1));
    clock.advance(1000);
    assertThat(sent).isBetween(2, 101);
    ignored = false;
    clock.advance(20);
    assertThat(timer.taken()).isPositive();
  }

  @Test
  void shouldTakeTheLongestTimes() {
    timer.set(Duration.ofSeconds(Long.MAX_VALUE), Duration.ofSeconds(Long.MAX_VALUE));
    clock.advance(1000);
    assertThat(sent).isZero();
    assertThat(timer.left()).isPositive();
  }
}
