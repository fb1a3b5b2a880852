package dev.stubpool.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.nativestubs.calls.FileCalls;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Effort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The window on this process's real descriptor table. */
class MappableWindowIT {
  private static final int SIZE = 256;
  private static final int PLACEHOLDERS = SIZE + 1;

  /** Only placeholders lead to the root folder. */
  @AfterEach
  void shouldLeaveNoPlaceholder() {
    assertThat(Descriptors.leadingTo("/")).isZero();
  }

  private static StubPool pool(String name) {
    return StubPool.open(StubPoolOptions.builder().name(name).minIdle(0).maxStubs(2).build());
  }

  @Test
  void shouldBeGivenBackWhenTheLastPoolHasClosed() {
    StubPool first = pool("first");
    assertThat(Descriptors.leadingTo("/")).isEqualTo(PLACEHOLDERS);
    StubPool second = pool("second");
    assertThat(Descriptors.leadingTo("/")).isEqualTo(PLACEHOLDERS);
    first.close();
    first.close();
    assertThat(Descriptors.leadingTo("/")).isEqualTo(PLACEHOLDERS);
    second.close();
    assertThat(Descriptors.leadingTo("/")).isZero();
    try (StubPool third = pool("third")) {
      assertThat(third.name()).isEqualTo("third");
      assertThat(Descriptors.leadingTo("/")).isEqualTo(PLACEHOLDERS);
    }
  }

  @Test
  void shouldBeReservedBesideOtherDescriptors() {
    StubImage.get();
    int highest;
    try (MappableWindow window = MappableWindow.open()) {
      highest = window.first();
    }
    long taken = FileCalls.duplicateAbove(0, highest + SIZE / 2);
    assertThat(taken).isEqualTo(highest + SIZE / 2);
    try (MappableWindow window = MappableWindow.open()) {
      assertThat(window.first()).isEqualTo((int) taken - SIZE);
      assertThat(window.last()).isEqualTo((int) taken - 1);
    } finally {
      FileCalls.close((int) taken);
    }
  }

  @Test
  void shouldCloseANumberAfterTheCallThatUsesIt() {
    StubImage.get();
    MappableWindow window = MappableWindow.open();
    long used =
        window.during(
            0,
            "testing",
            slot -> {
              window.close();
              assertThat(Descriptors.leadingTo("/")).as("what the call still needs").isOne();
              assertThat(Files.exists(Path.of("/proc/self/fd/" + slot))).isTrue();
              return slot;
            });
    assertThat(Files.exists(Path.of("/proc/self/fd/" + used))).isFalse();
    assertThatThrownBy(() -> window.during(0, "testing", slot -> slot))
        .isInstanceOf(StubPoolException.class)
        .hasMessage("the mappable descriptors are closed, since no pool is open, while testing");
  }

  /** Windows come and go beside files at high numbers, whose descriptors nobody else may touch. */
  @Test
  void shouldNeverTouchTheDescriptorsOfOthers() throws Exception {
    StubImage.get();
    int rounds = Effort.cases(200, 20_000);
    long seed = new Random().nextLong();
    System.out.println("seed " + seed);
    CyclicBarrier begin = new CyclicBarrier(3);
    List<Callable<Void>> parts = new ArrayList<>();
    for (int thread = 0; thread < 2; thread++) {
      parts.add(
          () -> {
            begin.await();
            for (int i = 0; i < rounds; i++) {
              try (MappableWindow window = MappableWindow.open()) {
                window.during(0, "testing", slot -> 0);
              }
            }
            return null;
          });
    }
    parts.add(
        () -> {
          Random random = new Random(seed);
          begin.await();
          for (int i = 0; i < rounds; i++) {
            keepAFile(random);
          }
          return null;
        });
    try (ExecutorService threads = Executors.newFixedThreadPool(parts.size())) {
      for (Future<Void> part : threads.invokeAll(parts)) {
        part.get();
      }
    }
  }

  private static void keepAFile(Random random) throws IOException {
    long size = 1L + random.nextInt(1 << 20);
    int low = (int) MemoryCalls.memoryFile("test");
    MemoryCalls.resize(low, size);
    int high = (int) FileCalls.duplicateAbove(low, 16_384 - random.nextInt(3 * SIZE));
    FileCalls.close(low);
    for (int i = 0; i < 3; i++) {
      assertThat(Files.size(Path.of("/proc/self/fd/" + high))).isEqualTo(size);
      Thread.yield();
    }
    assertThat(FileCalls.close(high)).isZero();
  }
}
