package dev.stubpool.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reasons that this machine does not have, on made-up /proc and /sys/kernel/security. */
class PtraceAdviceTest {
  @TempDir Path root;

  private static final int CHILD = 42;
  private static final String PLAIN = "Name:\tjava\nUid:\t1000\t1000\nCapEff:\t0000000000000000\n";

  @Test
  void shouldNameYama() throws IOException {
    write("self/status", PLAIN);
    write("sys/kernel/yama/ptrace_scope", "2\n");
    assertThat(advice())
        .isEqualTo(
            "Yama forbids it (kernel.yama.ptrace_scope is 2): sysctl -w kernel.yama.ptrace_scope=1,"
                + " or give the JVM CAP_SYS_PTRACE");
    write("sys/kernel/yama/ptrace_scope", "3\n");
    assertThat(advice())
        .isEqualTo(
            "Yama forbids it (kernel.yama.ptrace_scope is 3): sysctl -w kernel.yama.ptrace_scope=1;"
                + " 3 cannot be lowered: set it in /etc/sysctl.d and reboot");
  }

  @Test
  void shouldNotBlameYamaForWhatItAllows() throws IOException {
    write("self/status", PLAIN);
    write("sys/kernel/yama/ptrace_scope", "1\n");
    assertThat(advice()).startsWith("a security module");
    write("sys/kernel/yama/ptrace_scope", "2\n");
    write("self/status", PLAIN.replace("CapEff:\t0000000000000000", "CapEff:\t00000000a80c25fb"));
    assertThat(advice()).startsWith("a security module");
  }

  @Test
  void shouldNameTheTracerThatHasTheChild() throws IOException {
    write("self/status", PLAIN);
    write(CHILD + "/status", "Name:\tjava\nTracerPid:\t17\n");
    write("17/comm", "strace\n");
    for (boolean filtered : new boolean[] {false, true}) {
      assertThat(advice(filtered))
          .isEqualTo(
              "process 17 (strace) traces it already: run the JVM without that tracer, or have it"
                  + " leave children alone (strace without -f, gdb with detach-on-fork on)");
    }
  }

  /** Every container has a filter; one that answers to ptrace is another matter. */
  @Test
  void shouldBlameTheFilterForWhatItAnswersAlone() throws IOException {
    write("self/status", PLAIN + "Seccomp:\t2\n");
    write(CHILD + "/status", "Name:\tjava\nTracerPid:\t0\n");
    assertThat(advice(false)).startsWith("a security module");
    assertThat(advice(true))
        .startsWith("a seccomp filter of this process forbids it: let ptrace(2) through in the");
    assertThat(advisor().onCopying("process_vm_writev", true))
        .startsWith(
            "a seccomp filter of this process forbids it: let process_vm_writev(2) through");
    assertThat(advisor().onCopying("process_vm_writev", false)).startsWith("a security module");
  }

  @Test
  void shouldNameAProcessThatIsNotDumpable() throws IOException {
    write("self/status", PLAIN);
    write("self/mem", "");
    if (Integer.valueOf(0).equals(Files.getAttribute(root.resolve("proc/self/mem"), "unix:uid"))) {
      assertThat(advice()).startsWith("this JVM is not dumpable");
    } else {
      assertThat(advice()).startsWith("a security module");
    }
  }

  @Test
  void shouldNameTheSecurityModulesOtherwise() throws IOException {
    write("self/status", "Name:\tjava\nUid:\t0\t0\t0\t0\n");
    Files.createDirectories(root.resolve("security"));
    Files.writeString(root.resolve("security/lsm"), "capability,apparmor");
    assertThat(advice())
        .isEqualTo(
            "a security module (capability,apparmor) forbids it: see its audit log; or a tracer"
                + " outside of this pid namespace has the process already");
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve("proc").resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private PtraceAdvice advisor() {
    return new PtraceAdvice(root.resolve("proc"), root.resolve("security"));
  }

  private String advice() {
    return advice(false);
  }

  private String advice(boolean filtered) {
    return advisor().onSeizing(CHILD, filtered);
  }
}
