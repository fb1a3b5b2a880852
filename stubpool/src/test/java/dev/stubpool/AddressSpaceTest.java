package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AddressSpaceTest {
  private final AddressSpace space =
      new AddressSpace(0x10000, 0x8000_0000L, 0x4000_0000L, 0x4040_0000L);

  @Test
  void shouldContainWhatLiesBesideTheImage() {
    assertThat(space.contains(0x10000, 0x1000)).isTrue();
    assertThat(space.contains(0x10000, 0x4000_0000L - 0x10000)).isTrue();
    assertThat(space.contains(0x4040_0000L, 0x8000_0000L - 0x4040_0000L)).isTrue();
  }

  @Test
  void shouldNotContainAnythingElse() {
    assertThat(space.contains(0xf000, 0x1000)).isFalse();
    assertThat(space.contains(0x10000, 0x4000_0000L - 0x10000 + 1)).isFalse();
    assertThat(space.contains(0x4000_0000L, 0x1000)).isFalse();
    assertThat(space.contains(0x403f_f000L, 0x2000)).isFalse();
    assertThat(space.contains(0x8000_0000L, 0x1000)).isFalse();
    assertThat(space.contains(0x7fff_f000L, 0x2000)).isFalse();
    assertThat(space.contains(0x10000, 0)).isFalse();
    assertThat(space.contains(0x10000, -1)).isFalse();
    assertThat(space.contains(0x4040_0000L, Long.MAX_VALUE)).isFalse();
    assertThat(space.contains(-0x1000, 0x2000)).isFalse();
  }

  @Test
  void shouldKnowWhatMeetsTheImage() {
    assertThat(space.meetsImage(0x3fff_ffffL, 1)).isFalse();
    assertThat(space.meetsImage(0x3fff_ffffL, 2)).isTrue();
    assertThat(space.meetsImage(0x403f_ffffL, 1)).isTrue();
    assertThat(space.meetsImage(0x4040_0000L, 1)).isFalse();
    assertThat(space.meetsImage(0, 0x4000_0000L)).isFalse();
    assertThat(space.meetsImage(0x1000, Long.MAX_VALUE)).isTrue();
    assertThat(space.meetsImage(-0x1000, 0x2000)).isFalse();
    assertThat(space.meetsImage(Long.MIN_VALUE, Long.MAX_VALUE)).isFalse();
  }
}
