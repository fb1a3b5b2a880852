package dev.stubpool.cli.proc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class ProcessStatusTest {
  private static final String REST = " t 7 8 9 0 -1 1077936128 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";

  @Test
  void shouldReadANameWithParenthesesAndSpaces() {
    assertThat(ProcessStatus.parse(5, "5 (a) b (c)" + REST))
        .isEqualTo(new ProcessStatus(5, "a) b (c", 't', 7, 4711));
  }

  @Test
  void shouldTellOfThisProcess() throws IOException {
    ProcessHandle self = ProcessHandle.current();

    ProcessStatus status = ProcessStatus.of((int) self.pid()).orElseThrow();

    assertThat(status.parent()).isEqualTo((int) self.parent().orElseThrow().pid());
    assertThat(status.isNamedStub()).isFalse();
    assertThat(ProcessStatus.all()).extracting(ProcessStatus::pid).contains((int) self.pid());
  }

  @Test
  void shouldTellThatThereIsNone() throws IOException {
    assertThat(ProcessStatus.of(Integer.MAX_VALUE)).isEmpty();
  }
}
