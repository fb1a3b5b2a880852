package dev.stubpool.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reasons that this machine does not have, on made-up /proc and /sys/kernel/security. */
class PtraceAdviceTest {
  @TempDir Path root;

  @Test
  void shouldNameYama() throws IOException {
    write("sys/kernel/yama/ptrace_scope", "3\n");
    assertThat(advice())
        .isEqualTo(
            "Yama forbids it (kernel.yama.ptrace_scope is 3): sysctl -w kernel.yama.ptrace_scope=1,"
                + " or give the JVM CAP_SYS_PTRACE");
  }

  @Test
  void shouldNotBlameYamaForWhatItAllows() throws IOException {
    write("sys/kernel/yama/ptrace_scope", "1\n");
    write("self/status", "Name:\tjava\nUid:\t1000\t1000\t1000\t1000\nSeccomp:\t2\n");
    assertThat(advice()).startsWith("a seccomp filter of this process forbids it");
  }

  @Test
  void shouldNameAProcessThatIsNotDumpable() throws IOException {
    write("self/status", "Name:\tjava\nUid:\t1000\t1000\t1000\t1000\nSeccomp:\t0\n");
    write("self/mem", "");
    if (Integer.valueOf(0).equals(Files.getAttribute(root.resolve("proc/self/mem"), "unix:uid"))) {
      assertThat(advice()).startsWith("this JVM is not dumpable");
    } else {
      assertThat(advice()).startsWith("a security module");
    }
  }

  @Test
  void shouldNameTheSecurityModulesOtherwise() throws IOException {
    write("self/status", "Name:\tjava\nUid:\t0\t0\t0\t0\nSeccomp:\t0\n");
    Files.createDirectories(root.resolve("security"));
    Files.writeString(root.resolve("security/lsm"), "capability,apparmor");
    assertThat(advice())
        .isEqualTo("a security module (capability,apparmor) forbids it: see its audit log");
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve("proc").resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private String advice() {
    return PtraceAdvice.text(root.resolve("proc"), root.resolve("security"));
  }
}
