package dev.stubpool.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.ChildCommand;
import dev.stubpool.cli.proc.ProcessStatus;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HoldIT {
  private static final Pattern HOLDING =
      Pattern.compile("\\s+holding\\. JVM (\\d+), source (\\d+), stubs:");
  private static final int STATUS_OF_SIGTERM = 128 + 15;

  private Process command;
  private BufferedReader out;
  private final List<Integer> stubs = new ArrayList<>();

  @BeforeEach
  void startAndAwaitHold() throws IOException {
    command = ChildCommand.start("demo", "--stubs", "3", "--hold");
    out = command.inputReader();
    Matcher holding;
    do {
      String line = out.readLine();
      assertThat(line).as("output before the hold").isNotNull();
      holding = HOLDING.matcher(line);
    } while (!holding.matches());
    assertThat(holding.group(1)).isEqualTo(Long.toString(command.pid()));
    stubs.add(Integer.valueOf(holding.group(2)));
    Arrays.stream(out.readLine().strip().split(" ")).map(Integer::valueOf).forEach(stubs::add);
    assertThat(stubs).hasSize(4).allMatch(pid -> isStub(pid));
  }

  @AfterEach
  void kill() {
    command.destroyForcibly();
  }

  @Test
  void shouldGoOnWhenEnterIsPressed() throws Exception {
    command.getOutputStream().write('\n');
    command.getOutputStream().flush();

    assertThat(out.lines().toList().getLast()).isEqualTo("leaked: 0");
    assertThat(command.waitFor()).isZero();
  }

  @Test
  void shouldGoOnAtTheEndOfInput() throws Exception {
    command.getOutputStream().close();

    assertThat(out.lines().toList().getLast()).isEqualTo("leaked: 0");
    assertThat(command.waitFor()).isZero();
  }

  @Test
  void shouldEndInOrderWhenTerminated() throws Exception {
    command.toHandle().destroy();

    assertThat(out.lines().toList().getLast()).isEqualTo("leaked: 0");
    assertThat(command.waitFor()).isEqualTo(STATUS_OF_SIGTERM);
  }

  @Test
  void shouldLeaveNoStubWhenKilled() throws Exception {
    command.destroyForcibly();
    command.waitFor();

    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (stubs.stream().anyMatch(HoldIT::isStub)) {
      assertThat(System.nanoTime()).as("stubs alive: " + stubs).isLessThan(deadline);
      Thread.sleep(1);
    }
  }

  private static boolean isStub(int pid) {
    try {
      return ProcessStatus.of(pid).filter(ProcessStatus::isNamedStub).isPresent();
    } catch (IOException e) {
      return false;
    }
  }
}
