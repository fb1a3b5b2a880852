package dev.stubpool.kernel.file;

import static dev.stubpool.kernel.file.Data.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.signal.AlarmClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class TimerFileTest {
  private final Clock clock = new Clock();
  private final TimerFile timer = new TimerFile(clock, 1, 0);

  /** Of one alarm, which rings when the test says so. */
  private static final class Clock implements AlarmClock {
    private long now;
    private long time = Long.MAX_VALUE;
    private Runnable action;

    @Override
    public long now() {
      return now;
    }

    @Override
    public Alarm at(long at, Runnable ring) {
      time = at;
      action = ring;
      return () -> time = Long.MAX_VALUE;
    }

    void pass(long nanos) {
      now += nanos;
      if (now >= time) {
        time = Long.MAX_VALUE;
        action.run();
      }
    }
  }

  private long read() {
    ByteBuffer buffer = Struct.allocate(Long.BYTES);
    assertThat(timer.read(buffer)).isEqualTo(Long.BYTES);
    return buffer.getLong(0);
  }

  @Test
  void shouldExpireOnce() {
    int[] woken = new int[1];
    timer.waiters().add(() -> woken[0]++);
    timer.set(Duration.ofNanos(100), Duration.ZERO);
    clock.pass(99);
    assertThat(timer.readiness()).isZero();
    assertThat(timer.left()).isEqualTo(Duration.ofNanos(1));
    assertFails(Errno.EAGAIN, this::read);
    clock.pass(500);
    assertThat(woken[0]).isEqualTo(1);
    assertThat(timer.readiness()).isEqualTo(Poll.POLLIN);
    assertThat(timer.left()).isEqualTo(Duration.ZERO);
    assertThat(read()).isEqualTo(1);
    assertFails(Errno.EAGAIN, this::read);
  }

  @Test
  void shouldCountWhatNobodyRead() {
    timer.set(Duration.ofNanos(100), Duration.ofNanos(10));
    clock.pass(125);
    assertThat(timer.left()).isEqualTo(Duration.ofNanos(5));
    assertThat(read()).isEqualTo(3);
    assertFails(Errno.EAGAIN, this::read);
    clock.pass(5);
    assertThat(read()).isEqualTo(1);
    timer.set(Duration.ZERO, Duration.ZERO);
    clock.pass(100);
    assertThat(timer.readiness()).isZero();
  }
}
