package dev.stubpool.kernel.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FutexTableTest {
  private final FutexTable futexes = new FutexTable();
  private final FutexTable.Key one = new FutexTable.Key("memory", 8);
  private final FutexTable.Key two = new FutexTable.Key("memory", 16);

  private FutexTable.Wait await(FutexTable.Key key) {
    return futexes.begin(key, FutexTable.ANY_BITS);
  }

  private int wake(FutexTable.Key key, int most) {
    return futexes.wake(key, most, FutexTable.ANY_BITS);
  }

  @Test
  void shouldWakeTheFirstFirst() {
    FutexTable.Wait first = await(one);
    FutexTable.Wait second = await(one);
    FutexTable.Wait third = await(one);
    assertThat(wake(two, 5)).isZero();
    assertThat(wake(one, 2)).isEqualTo(2);
    assertThat(first.isWoken() && second.isWoken() && !third.isWoken()).isTrue();
    assertThat(wake(one, 0)).as("one at least, as Linux does").isEqualTo(1);
    assertThat(wake(one, 5)).isZero();
  }

  @Test
  void shouldNotWakeWhoHasGivenUp() {
    FutexTable.Wait first = await(one);
    FutexTable.Wait second = await(one);
    futexes.end(first);
    assertThat(wake(one, 1)).isEqualTo(1);
    assertThat(second.isWoken()).isTrue();
    futexes.end(second);
  }

  @Test
  void shouldWakeByBits() {
    FutexTable.Wait low = futexes.begin(one, 1);
    FutexTable.Wait high = futexes.begin(one, 6);
    assertThat(futexes.wake(one, 5, 8)).isZero();
    assertThat(futexes.wake(one, 5, 4)).isEqualTo(1);
    assertThat(!low.isWoken() && high.isWoken()).isTrue();
  }

  @Test
  void shouldTellTheQueueOfWhoIsWoken() {
    int[] told = new int[1];
    await(one).queue().add(() -> told[0]++);
    await(one).queue().add(() -> told[0]++);
    assertThat(wake(one, 1)).isEqualTo(1);
    assertThat(told[0]).isEqualTo(1);
  }

  @Test
  void shouldMoveToAnotherWord() {
    FutexTable.Wait first = await(one);
    FutexTable.Wait second = await(one);
    FutexTable.Wait third = await(one);
    assertThat(futexes.requeue(one, 1, two, 1)).isEqualTo(2);
    assertThat(first.isWoken()).isTrue();
    assertThat(wake(two, 5)).isEqualTo(1);
    assertThat(second.isWoken() && !third.isWoken()).isTrue();
    assertThat(futexes.requeue(one, 0, one, 5)).isEqualTo(1);
    assertThat(futexes.requeue(one, 0, two, 0)).isZero();
    futexes.end(third);
    assertThat(wake(one, 5)).isZero();
  }
}
