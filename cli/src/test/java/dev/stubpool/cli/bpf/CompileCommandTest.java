package dev.stubpool.cli.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.JsonText;
import dev.stubpool.cli.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CompileCommandTest {

  private static final String OCI =
      """
      {
        "defaultAction": "SCMP_ACT_ERRNO",
        "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [
          {"names": ["read", "39"], "action": "SCMP_ACT_ALLOW"},
          {"names": ["kill"], "action": "SCMP_ACT_ALLOW",
           "args": [{"index": 1, "value": 19, "op": "SCMP_CMP_EQ"}]},
          {"names": ["reboot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_BOOT"]}}
        ]
      }
      """;

  private static final String MINIJAIL = "read: 1\n39: 1\nkill: arg1 == 19\n";

  @TempDir private Path folder;
  private Path oci;
  private Path minijail;
  private Path program;

  @BeforeEach
  void writePolicies() throws IOException {
    oci = Files.writeString(folder.resolve("oci"), OCI);
    minijail = Files.writeString(folder.resolve("minijail"), MINIJAIL);
    program = folder.resolve("program");
  }

  private static Outcome bpf(Object... arguments) {
    List<String> all = new ArrayList<>(List.of("bpf"));
    Arrays.stream(arguments).map(Object::toString).forEach(all::add);
    return Outcome.of(all.toArray(String[]::new));
  }

  private String answer(String nr, String... arguments) {
    List<Object> all = new ArrayList<>(List.of("sim", program, "--nr", nr));
    for (String argument : arguments) {
      all.add("--arg");
      all.add(argument);
    }
    Outcome outcome = bpf(all.toArray());
    assertThat(outcome.err()).isEmpty();
    return outcome.out().split("\"", -1)[3];
  }

  @Test
  void shouldTellOfRulesThatDoNothing() throws IOException {
    Files.writeString(minijail, "kill: arg1 == 19 && arg1 == 18\nread: 1\n");

    Outcome outcome = bpf("compile", "--format", "minijail", "-o", program, minijail);

    assertThat(outcome.status()).isZero();
    assertThat(outcome.err()).startsWith("stubpool: x86_64").contains("kill").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"size", "speed", "none"})
  void shouldCompileForEachGoal(String goal) {
    Outcome outcome = bpf("compile", "--format", "oci", "--optimize", goal, "-o", program, oci);

    assertThat(outcome).isEqualTo(new Outcome(0, "", ""));
    assertThat(answer("read")).isEqualTo("ALLOW");
    assertThat(answer("getpid")).isEqualTo("ALLOW");
    assertThat(answer("write")).isEqualTo("ERRNO(1)");
    assertThat(answer("reboot")).isEqualTo("ERRNO(1)");
    assertThat(answer("kill", "1", "19")).isEqualTo("ALLOW");
    assertThat(answer("kill", "1", "18")).isEqualTo("ERRNO(1)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--format=minijail", "--optimize=size"})
  void shouldCompileMinijail(String option) {
    assertThat(bpf("compile", option, "-o", program, minijail)).isEqualTo(new Outcome(0, "", ""));
    assertThat(answer("getpid")).isEqualTo("ALLOW");
    assertThat(answer("write")).isEqualTo("KILL_PROCESS");
    assertThat(answer("kill", "1", "19")).isEqualTo("ALLOW");
  }

  @Test
  void shouldFollowWhatMinijailIncludes() throws IOException {
    Files.writeString(minijail, "@include ./other\n");
    Files.writeString(folder.resolve("other"), MINIJAIL);

    assertThat(bpf("compile", "-o", program, minijail)).isEqualTo(new Outcome(0, "", ""));
    assertThat(answer("getpid")).isEqualTo("ALLOW");
  }

  @Test
  void shouldTakeIntoAccountWhatItIsFor() {
    assertThat(bpf("compile", "--cap", "CAP_SYS_BOOT", "-o", program, oci).status()).isZero();
    assertThat(answer("reboot")).isEqualTo("ALLOW");

    assertThat(bpf("compile", "--arch", "aarch64", "-o", program, minijail).status()).isZero();
    assertThat(answer("getpid")).isEqualTo("KILL_PROCESS");
    assertThat(bpf("sim", program, "--arch", "aarch64", "--nr", "read").out()).contains("ALLOW");
  }

  @Test
  void shouldTellWhatTheProgramCosts() throws IOException {
    Outcome text = bpf("compile", "--stats", "-o", program, oci);
    assertThat(text.out()).contains("instructions", "in bitmap     x86_64: read, getpid");
    assertThat(text.err()).isEmpty();

    Outcome json = bpf("compile", "--stats", "--json", "-o", program, oci);
    assertThat(JsonText.values(json.out()))
        .containsKeys("/instructions", "/ebpf_length", "/stackable", "/min_steps", "/max_steps")
        .containsEntry("/bitmap/x86_64/1", "39");

    Outcome both = bpf("compile", "--stats", "--text", oci);
    assertThat(both.out()).startsWith("l0:").doesNotContain("instructions");
    assertThat(both.err()).contains("instructions");
  }

  @Test
  void shouldPassWarningsOn() throws IOException {
    Files.writeString(oci, OCI.replace("read", "raed"));

    Outcome outcome = bpf("compile", "-o", program, oci);
    assertThat(outcome.status()).isZero();
    assertThat(outcome.err().lines())
        .hasSize(1)
        .allSatisfy(
            line -> assertThat(line).startsWith("stubpool: " + oci + ":5:").contains("raed"));
  }

  @Test
  void shouldSayWhereAPolicyIsWrong() throws IOException {
    Files.writeString(oci, OCI.replace("SCMP_CMP_EQ", "SCMP_CMP_EG"));
    Files.writeString(minijail, "read: 1\nkill: arg1 = 19\n");

    for (Path policy : List.of(oci, minijail)) {
      Outcome outcome = bpf("compile", "-o", program, policy);
      assertThat(outcome.status()).isEqualTo(1);
      assertThat(outcome.out()).isEmpty();
      assertThat(outcome.err())
          .startsWith("stubpool: " + policy + (policy.equals(oci) ? ":7:" : ":2:"));
      assertThat(program).doesNotExist();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --format yaml    | --format: 'yaml' is not one of oci, minijail
          --optimize fast  | --optimize: 'fast' is not one of size, speed or none
          --kernel six     | --kernel: a kernel version is two numbers such as 6.18: "six"
          --json           | --json requires --stats
          """)
  void shouldSayWhatIsWrongWithTheArguments(String options, String message) {
    List<Object> arguments = new ArrayList<>(List.of("compile", oci));
    arguments.addAll(List.of(options.split(" ")));

    assertThat(bpf(arguments.toArray()))
        .isEqualTo(
            new Outcome(
                2, "", "stubpool: %s; try stubpool bpf compile --help%n".formatted(message)));
  }
}
