package dev.stubpool.forge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.image.SourceClone.Range;
import dev.stubpool.nativestubs.proc.ProcMaps;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeapMappingsTest {
  @Test
  void shouldReadTheReportOfG1() {
    assertThat(
            HeapMappings.ranges(
                """
                 garbage-first heap   total reserved 6152192K, committed 391168K, used 3095K [0x0000000688800000, 0x0000000800000000)
                  region size 4096K, 1 young (4096K), 0 survivors (0K)
                 Metaspace       used 84K, committed 256K, reserved 1114112K
                """))
        .containsExactly(range(0x6_8880_0000L, 0x8_0000_0000L));
  }

  @Test
  void shouldJoinTheGenerationsOfSerialAndParallel() {
    assertThat(
            HeapMappings.ranges(
                """
                 DefNew     total 117568K, used 6274K [0x0000000688800000, 0x0000000690790000, 0x0000000703000000)
                  eden space 104512K,   6% used [0x0000000688800000, 0x0000000688e209c8, 0x000000068ee10000)
                 Tenured    total 261120K, used 0K [0x0000000703000000, 0x0000000712f00000, 0x0000000800000000)
                   the  space 261120K,   0% used [0x0000000703000000, 0x0000000703000000, 0x0000000712f00000)
                """))
        .containsExactly(range(0x6_8880_0000L, 0x8_0000_0000L));
  }

  @Test
  void shouldFindNothingInAReportItDoesNotKnow() {
    assertThat(HeapMappings.ranges(" ZHeap           used 12M, capacity 378M, max capacity 6008M"))
        .isEmpty();
  }

  @Test
  void shouldFindTheHeapOfThisJvmAndNothingElse() throws IOException {
    List<ProcMaps.Mapping> maps = ProcMaps.self();
    List<Range> found = HeapMappings.among(maps);
    assertThat(found).isNotEmpty();
    assertThat(found.stream().mapToLong(Range::length).sum())
        .isGreaterThanOrEqualTo(Runtime.getRuntime().totalMemory());
    for (Range range : found) {
      assertThat(maps)
          .anyMatch(
              mapping ->
                  mapping.start() == range.address()
                      && mapping.size() == range.length()
                      && mapping.isPrivateAnonymous());
    }
  }

  private static Range range(long start, long end) {
    return new Range(start, end - start);
  }
}
