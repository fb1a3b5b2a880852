package dev.stubpool.kernel.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.Mappable;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.StubPool;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RegionsTest {
  private static final int SIZE = 40;
  private static final int RESERVED_START = 20;
  private static final int RESERVED_END = 23;

  private record Named(String name) implements Backing {
    @Override
    public Mappable open(StubPool pool) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void shouldAgreeWithATableOfPages() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Regions regions = new Regions(RESERVED_START, RESERVED_END);
    TreeMap<Long, Region> pages = new TreeMap<>();
    for (int i = 0; i < 3_000; i++) {
      String step = "seed %d, step %d".formatted(seed, i);
      long start = random.nextInt(SIZE);
      long end = start + 1 + random.nextInt(8);
      if (start < RESERVED_END && end > RESERVED_START) {
        continue;
      }
      if (random.nextInt(3) > 0) {
        Region region = random(random, start, end);
        regions.put(region);
        for (long page = start; page < end; page++) {
          pages.put(page, region.part(page, page + 1));
        }
      } else {
        regions.remove(start, end);
        pages.subMap(start, end).clear();
      }
      assertThat(flat(regions)).as(step).containsExactlyElementsOf(pages.values());
      assertThat(List.copyOf(regions.all()))
          .as(step)
          .noneMatch(region -> joinsNext(regions, region));
      checkQueries(random, regions, pages, step);
    }
  }

  private static Region random(Random random, long start, long end) {
    Protection protection = random.nextBoolean() ? Protection.READ : Protection.READ_WRITE;
    return switch (random.nextInt(3)) {
      case 0 -> Region.anonymous(start, end - start, protection, "");
      case 1 ->
          Region.of(new Named("one"), start, start, end - start, protection, Sharing.SHARED, true);
      default ->
          Region.of(new Named("two"), 5, start, end - start, protection, Sharing.PRIVATE, true);
    };
  }

  private static List<Region> flat(Regions regions) {
    return regions.all().stream()
        .flatMap(
            region ->
                LongStream.range(region.start(), region.end())
                    .mapToObj(page -> region.part(page, page + 1)))
        .toList();
  }

  private static boolean joinsNext(Regions regions, Region region) {
    Region next = regions.find(region.end());
    return next != null && region.joins(next);
  }

  private static void checkQueries(
      Random random, Regions regions, NavigableMap<Long, Region> pages, String step) {
    int size = 1 + random.nextInt(8);
    int from = random.nextInt(SIZE);
    assertThat(regions.isFree(from, from + size)).as(step).isEqualTo(isFree(pages, from, size));
    assertThat(regions.highestFree(size, 3, SIZE)).as(step).isEqualTo(highestFree(pages, size));
    long until = from;
    while (until < from + size && pages.containsKey(until)) {
      until++;
    }
    assertThat(regions.mappedUntil(from, from + size)).as(step).isEqualTo(until);
  }

  private static boolean isFree(NavigableMap<Long, Region> pages, long start, long size) {
    return pages.subMap(start, start + size).isEmpty()
        && (start >= RESERVED_END || start + size <= RESERVED_START);
  }

  private static long highestFree(NavigableMap<Long, Region> pages, long size) {
    for (long start = SIZE - size; start >= 3; start--) {
      if (isFree(pages, start, size)) {
        return start;
      }
    }
    return -1;
  }
}
