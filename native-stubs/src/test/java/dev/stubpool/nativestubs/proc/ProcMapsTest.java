package dev.stubpool.nativestubs.proc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import org.junit.jupiter.api.Test;

class ProcMapsTest {
  @Test
  void shouldParseAFileWithSpacesInItsName() {
    Mapping mapping =
        ProcMaps.parse("7f6263800000-7f6263801000 r-xs 00010000 fe:00 145      /a file (deleted)");
    assertThat(mapping)
        .isEqualTo(
            new Mapping(
                0x7f62_6380_0000L, 0x7f62_6380_1000L, "r-xs", 0x10000, 145, "/a file (deleted)"));
    assertThat(mapping.size()).isEqualTo(4096);
    assertThat(mapping.isPrivateAnonymous()).isFalse();
  }

  @Test
  void shouldKnowPrivateAnonymousMemory() {
    assertThat(ProcMaps.parse("1000-3000 rw-p 00000000 00:00 0 ").isPrivateAnonymous()).isTrue();
    assertThat(ProcMaps.parse("1000-3000 rw-p 00000000 00:00 0   [anon:x]").isPrivateAnonymous())
        .isTrue();
    assertThat(ProcMaps.parse("1000-3000 rw-p 00000000 00:00 0   [heap]").isPrivateAnonymous())
        .isFalse();
    assertThat(ProcMaps.parse("1000-3000 rw-s 00000000 00:00 0").isPrivateAnonymous()).isFalse();
  }

  @Test
  void shouldReadAddressesOfTheKernelHalf() {
    String vsyscall = "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]";
    assertThat(ProcMaps.parse(vsyscall).start()).isEqualTo(0xffff_ffff_ff60_0000L);
  }
}
