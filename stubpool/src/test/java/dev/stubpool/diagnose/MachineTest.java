package dev.stubpool.diagnose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.UnsupportedMachineException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
  @Test
  void shouldRefuseKernelsThatAreTooOld() {
    assertThatThrownBy(() -> Machine.check("Linux", "amd64", "5.9.16-generic"))
        .isInstanceOf(UnsupportedMachineException.class)
        .hasMessage("stubs need Linux 5.10 or newer, this is 5.9.16-generic; boot a newer kernel");
    assertThatThrownBy(() -> Machine.check("Linux", "amd64", "4.19.0"))
        .isInstanceOf(UnsupportedMachineException.class);
    assertThatCode(() -> Machine.check("Linux", "amd64", "5.10.0-amd64"))
        .doesNotThrowAnyException();
    assertThatCode(() -> Machine.check("Linux", "amd64", "6.1.0")).doesNotThrowAnyException();
  }

  @Test
  void shouldRefuseOtherMachines() {
    assertThatThrownBy(() -> Machine.check("Linux", "aarch64", "6.1.0"))
        .hasMessage("stubs need Linux on x86-64, this is Linux on aarch64");
    assertThatThrownBy(() -> Machine.check("Mac OS X", "amd64", "24.0"))
        .hasMessage("stubs need Linux on x86-64, this is Mac OS X on amd64");
    assertThatThrownBy(() -> Machine.check("Linux", "amd64", "unknown"))
        .hasMessage("cannot read the kernel's release, unknown");
  }

  /** Each number of NSpid is the process's in one pid namespace, that of the /proc first. */
  @Test
  void shouldRefuseTheProcOfAnotherPidNamespace(@TempDir Path proc) throws IOException {
    assertThatThrownBy(() -> Machine.checkProc(proc, 7))
        .isInstanceOf(UnsupportedMachineException.class)
        .hasMessage(
            "cannot read this JVM's status in /proc (NoSuchFileException: %s/self/status); mount a /proc of"
                    .formatted(proc)
                + " its pid namespace: unshare --pid --fork --mount-proc, or mount -t proc proc"
                + " /proc");
    Path status = Files.createDirectory(proc.resolve("self")).resolve("status");
    Files.writeString(status, "Name:\tjava\nPid:\t7\nPPid:\t1\nNSpid:\t7\nThreads:\t20\n");
    assertThatCode(() -> Machine.checkProc(proc, 7)).doesNotThrowAnyException();
    // A kernel without pid namespaces has no NSpid.
    Files.writeString(status, "Name:\tjava\nPid:\t7\nPPid:\t1\n");
    assertThatCode(() -> Machine.checkProc(proc, 7)).doesNotThrowAnyException();
    // The same number in both by chance.
    Files.writeString(status, "Name:\tjava\nPid:\t7\nNSpid:\t7\t7\n");
    String other = "/proc is of another pid namespace: this JVM is process %d there, and %d in its";
    assertThatThrownBy(() -> Machine.checkProc(proc, 7))
        .isInstanceOf(UnsupportedMachineException.class)
        .hasMessageStartingWith(other.formatted(7, 7));
    Files.writeString(status, "Name:\tjava\nPid:\t9\n");
    assertThatThrownBy(() -> Machine.checkProc(proc, 7))
        .hasMessageStartingWith(other.formatted(9, 7));
  }

  @Test
  void shouldKnowTheLowestAddress() {
    assertThat(Machine.lowestAddress()).isGreaterThanOrEqualTo(4096).isLessThan(1 << 20);
    assertThat(Machine.lowestAddress() % 4096).isZero();
  }

  @Test
  void shouldReadNumbersOfSeveralDigits() throws IOException {
    // Always more than 300, the kernel's least; its first digit alone is not.
    Path path = Path.of("/proc/sys/kernel/pid_max");
    Process cat = new ProcessBuilder("cat", path.toString()).start();
    String text = new String(cat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(Machine.sysctl(path)).isEqualTo(Long.parseLong(text.strip())).isGreaterThan(300);
  }
}
