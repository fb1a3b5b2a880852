package dev.stubpool.kernel.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RegionsTest {
  private static final int SIZE = 40;

  @Test
  void shouldAgreeWithASetOfPages() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Regions regions = new Regions();
    BitSet pages = new BitSet();
    for (int i = 0; i < 20_000; i++) {
      int start = random.nextInt(SIZE);
      int end = start + 1 + random.nextInt(8);
      if (random.nextBoolean()) {
        regions.add(start, end);
        pages.set(start, end);
      } else {
        regions.remove(start, end);
        pages.clear(start, end);
      }
      int size = 1 + random.nextInt(8);
      int from = random.nextInt(SIZE);
      assertThat(regions.isFree(from, from + size))
          .as("seed %d, step %d", seed, i)
          .isEqualTo(pages.get(from, from + size).isEmpty());
      assertThat(regions.highestFree(size, 3, SIZE))
          .as("seed %d, step %d", seed, i)
          .isEqualTo(highestFree(pages, size));
    }
  }

  private static long highestFree(BitSet pages, int size) {
    for (int start = SIZE - size; start >= 3; start--) {
      if (pages.get(start, start + size).isEmpty()) {
        return start;
      }
    }
    return -1;
  }
}
