package dev.stubpool.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.HeldDemo;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.testing.Proc;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HoldIT {
  private static final int STATUS_OF_SIGTERM = 128 + 15;

  private HeldDemo demo;
  private Process command;
  private BufferedReader out;
  private final List<Integer> stubs = new ArrayList<>();

  @BeforeEach
  void startAndAwaitHold() throws IOException {
    demo = HeldDemo.start(3);
    command = demo.process();
    out = demo.out();
    stubs.add(demo.source());
    stubs.addAll(demo.stubs());
    assertThat((long) demo.jvm()).isEqualTo(command.pid());
    assertThat(stubs).hasSize(4).allMatch(pid -> isStub(pid));
  }

  @AfterEach
  void kill() {
    demo.close();
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

    Proc.await("the end of " + stubs, () -> stubs.stream().noneMatch(HoldIT::isStub));
  }

  /** A zombie is not one: whoever inherits the dead here may never reap them. */
  private static boolean isStub(int pid) {
    try {
      return ProcFs.SYSTEM
          .status(pid)
          .filter(process -> process.isNamedStub() && !process.isZombie())
          .isPresent();
    } catch (IOException e) {
      return false;
    }
  }
}
