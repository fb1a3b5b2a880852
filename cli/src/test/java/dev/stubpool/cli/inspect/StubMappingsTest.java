package dev.stubpool.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import java.util.List;
import org.junit.jupiter.api.Test;

class StubMappingsTest {
  private static final String IMAGE = "/memfd:stubpool-image (deleted)";
  private static final long BASE = 0x7f12_3400_0000L;

  private static final Mapping FILE = mapping(0x40_0000, "r-xp", 4096, "/a\tfile");
  private static final Mapping TEXT = mapping(BASE, "r-xs", 0, IMAGE);
  private static final Mapping PIDS =
      mapping(BASE + Abi.IMAGE_PID_PAGE_OFFSET, "rw-s", 0, "/dev/zero (deleted)");
  private static final Mapping FRAME =
      new Mapping(
          BASE + Abi.STUB_FRAME_OFFSET,
          BASE + Abi.STUB_FRAME_OFFSET + Abi.STUB_FRAME_SIZE,
          "rw-p",
          0,
          0,
          "");
  private static final Mapping MEMORY =
      mapping(BASE + Abi.STUB_FRAME_OFFSET + Abi.STUB_FRAME_SIZE, "rw-p", 0, "");
  private static final Mapping VSYSCALL = mapping(0xffff_ffff_ff60_0000L, "--xp", 0, "[vsyscall]");

  @Test
  void shouldTellWhatEachMappingIsFor() {
    StubMappings mappings = new StubMappings(List.of(FILE, TEXT, PIDS, FRAME, MEMORY, VSYSCALL));

    assertThat(mappings.hasImage()).isTrue();
    assertThat(mappings.all())
        .extracting(mappings::purpose)
        .containsExactly(
            "guest", "image text", "pid page (source)", "signal frame", "guest", "[vsyscall]");
  }

  @Test
  void shouldTellOfAGuestsFileWithoutItsControlCharacters() {
    StubMappings mappings = new StubMappings(List.of(FILE, TEXT));

    assertThat(mappings.line(FILE))
        .isEqualTo(
            "000000400000-000000401000  r-xp        4 kB  guest             /a?file at 0x1000");
    assertThat(mappings.line(TEXT)).endsWith("image text");
  }

  @Test
  void shouldFindNoImageInAnotherProcess() {
    StubMappings mappings = new StubMappings(List.of(FILE, MEMORY));

    assertThat(mappings.hasImage()).isFalse();
    assertThat(mappings.purpose(MEMORY)).isEqualTo("guest");
  }

  private static Mapping mapping(long start, String permissions, long offset, String name) {
    return new Mapping(start, start + Abi.IMAGE_PAGE, permissions, offset, 0, name);
  }
}
