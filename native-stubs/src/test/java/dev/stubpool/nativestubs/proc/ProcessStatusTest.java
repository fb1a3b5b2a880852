package dev.stubpool.nativestubs.proc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProcessStatusTest {
  private static final String REST = " t 7 8 9 0 -1 1077936128 0 0 0 0 3 4 0 0 20 0 2 0 4711 0 0";
  private static final String STATM = "21 5 5 1 0 16 0\n";

  @Test
  void shouldReadANameWithParenthesesAndSpaces() {
    assertThat(ProcessStatus.parse(5, "5 (a) b (c)" + REST, STATM))
        .isEqualTo(new ProcessStatus(5, "a) b (c", 't', 7, 7, 2, 4711, 5));
  }

  @Test
  void shouldTellTimesAndSizesInUsualUnits() {
    ProcessStatus status = ProcessStatus.parse(5, "5 (java)" + REST, STATM);

    assertThat(status.residentKibibytes()).isEqualTo(20);
    assertThat(status.cpuTime()).isEqualTo(Duration.ofMillis(70));
    assertThat(status.age(Duration.ofSeconds(50))).isEqualTo(Duration.ofMillis(2890));
    assertThat(status.age(Duration.ofSeconds(40))).isEqualTo(Duration.ZERO);
  }

  @Test
  void shouldKnowAProcessFromALaterOneOfItsPid() {
    ProcessStatus status = ProcessStatus.parse(5, "5 (java)" + REST, STATM);

    assertThat(status.isSame(ProcessStatus.parse(5, "5 (other)" + REST, "0 0"))).isTrue();
    assertThat(status.isSame(ProcessStatus.parse(6, "6 (java)" + REST, STATM))).isFalse();
    assertThat(status.isSame(ProcessStatus.parse(5, "5 (java)" + REST.replace("47", "48"), STATM)))
        .isFalse();
  }
}
