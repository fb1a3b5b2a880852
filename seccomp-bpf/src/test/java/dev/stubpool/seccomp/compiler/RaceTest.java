package dev.stubpool.seccomp.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import org.junit.jupiter.api.Test;

/**
 * Counts of the filter for a known rule list, beside those of other toolchains and of programs by
 * hand: what those reach is the limit here, in each column. {@link RaceSearch} shows what else can
 * be reached.
 */
class RaceTest {

  private static final Integer[] ALWAYS_ALLOWED = {9, 11, 15, 24, 39, 60, 61, 110, 131, 186};

  private static CompiledFilter compile(Optimization optimize) {
    return SeccompCompiler.compile(RacePolicy.policy(), CompilerOptions.of(optimize));
  }

  @Test
  void shouldBeSmall() {
    CompiledFilter filter = compile(Optimization.SIZE);
    Race race = Race.of(filter.program());

    // By hand: 62 and 77.
    assertThat(race.instructions()).as("%s", race).isLessThanOrEqualTo(50);
    assertThat(race.ebpfLength()).as("%s", race).isLessThanOrEqualTo(64);
    assertThat(filter.report().cachedNumbers().get(Architecture.X86_64))
        .containsExactly(ALWAYS_ALLOWED);
  }

  @Test
  void shouldBeFast() {
    CompiledFilter filter = compile(Optimization.SPEED);
    Race race = Race.of(filter.program());

    // By hand: 7.4 / 18, 7.3, 15.7 / 19. Another compiler's tree: 17 at most, slow calls 14.6.
    assertThat(race.all().getAverage()).as("%s", race).isLessThanOrEqualTo(7.38);
    assertThat(race.all().getMax()).as("%s", race).isLessThanOrEqualTo(14);
    assertThat(race.denied().getAverage()).as("%s", race).isLessThanOrEqualTo(7.29);
    assertThat(race.slow().getAverage()).as("%s", race).isLessThanOrEqualTo(14.92);
    assertThat(race.slow().getMax()).as("%s", race).isLessThanOrEqualTo(18);
    assertThat(filter.report().cachedNumbers().get(Architecture.X86_64))
        .containsExactly(ALWAYS_ALLOWED);
  }
}
