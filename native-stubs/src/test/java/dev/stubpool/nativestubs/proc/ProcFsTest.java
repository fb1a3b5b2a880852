package dev.stubpool.nativestubs.proc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcFsTest {
  private static final String STAT =
      " (x) t 7 8 9 0 -1 1077936128 0 0 0 0 3 4 0 0 20 0 2 0 4711 0 0";

  @TempDir private Path root;

  @Test
  void shouldTellOfThisProcess() throws IOException {
    ProcessHandle self = ProcessHandle.current();

    ProcessStatus status = ProcFs.SYSTEM.status((int) self.pid()).orElseThrow();

    assertThat(status.parent()).isEqualTo((int) self.parent().orElseThrow().pid());
    assertThat(status.threads()).isPositive();
    assertThat(status.residentKibibytes()).isGreaterThan(1024);
    assertThat(status.isNamedStub()).isFalse();
    assertThat(ProcFs.SYSTEM.all()).extracting(ProcessStatus::pid).contains((int) self.pid());
    assertThat(ProcFs.SYSTEM.fields((int) self.pid()).orElseThrow().pids())
        .contains((int) self.pid());
    assertThat(ProcFs.SYSTEM.ownFields().pid()).contains((int) self.pid());
    assertThat(status.age(ProcFs.SYSTEM.uptime())).isBetween(Duration.ZERO, ProcFs.SYSTEM.uptime());
  }

  @Test
  void shouldTellThatThereIsNoSuchProcess() throws IOException {
    assertThat(ProcFs.SYSTEM.status(Integer.MAX_VALUE)).isEmpty();
    assertThat(ProcFs.SYSTEM.fields(Integer.MAX_VALUE)).isEmpty();
  }

  @Test
  void shouldListWhatHasANumberAndIsStillThere() throws IOException {
    ProcFs proc = new ProcFs(root);
    process(41);
    process(42);
    Files.delete(root.resolve("42/statm")); // ends while it is looked at
    Files.createDirectory(root.resolve("43"));
    Files.createDirectory(root.resolve("sys"));

    assertThat(proc.all()).extracting(ProcessStatus::pid).containsExactly(41);
  }

  @Test
  void shouldTellTheReasonsOfFailuresApart() {
    IOException hidden = new FileSystemException("/proc/1/stat", null, "Operation not permitted");
    IOException reaped = new IOException("No such process");
    IOException other = new FileNotFoundException();

    assertThat(ProcFs.isDenied(hidden)).isTrue();
    assertThat(ProcFs.isDenied(new AccessDeniedException("/proc/1/maps"))).isTrue();
    assertThat(ProcFs.isDenied(reaped)).isFalse();
    assertThat(ProcFs.isGone(reaped)).isTrue();
    assertThat(ProcFs.isGone(new NoSuchFileException("/proc/1/stat"))).isTrue();
    assertThat(ProcFs.isGone(hidden)).isFalse();
    assertThat(ProcFs.isGone(other)).isFalse();
    assertThat(ProcFs.isDenied(other)).isFalse();
  }

  private void process(int pid) throws IOException {
    Path folder = Files.createDirectory(root.resolve(Integer.toString(pid)));
    Files.writeString(folder.resolve("stat"), pid + STAT);
    Files.writeString(folder.resolve("statm"), "21 5 5 1 0 16 0\n");
  }
}
