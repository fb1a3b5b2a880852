package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Static C programs do in the kernel what they do on the host. */
class SandboxKernelIT {
  private static final String INPUT = "one\ntwo\n\nfour";

  /** What guest.c is run with; FOLDER is a folder that it may read. */
  private static final List<String> CASES =
      List.of(
          "hello world",
          "cat FOLDER/file FOLDER/link FOLDER/within/../file FOLDER/large",
          "cat FOLDER/none FOLDER/file/ FOLDER/loop FOLDER/file/x FOLDER/within",
          "lines",
          "allocate",
          "floats",
          "leave 0",
          "leave 200",
          "leave 256",
          "fault 0",
          "fault 0x7fffffffffff",
          "fault 0x800000000000000",
          "sent 6",
          "sent 9",
          "sent 15",
          "sent 17",
          "blocked",
          "divide",
          "status FOLDER FOLDER/file FOLDER/link FOLDER/loop FOLDER/none FOLDER/link/",
          "list FOLDER",
          "map FOLDER/file",
          "mistakes FOLDER",
          "devices",
          "scattered FOLDER/file",
          "self",
          "clocks");

  @TempDir private static Path scratch;
  private static Path folder;
  private static Path secret;
  private static StubPool pool;
  private static final Map<Toolchain, Path> PROGRAMS = new EnumMap<>(Toolchain.class);

  private record Outcome(int status, String out, String err) {}

  @BeforeAll
  static void open() throws IOException {
    folder = Files.createDirectories(scratch.resolve("folder").resolve("within")).getParent();
    secret = Files.writeString(scratch.resolve("secret"), "not for guests");
    Files.writeString(folder.resolve("file"), "some words in a file\n");
    Files.writeString(folder.resolve("large"), "0123456789abcde\n".repeat(50_000));
    Files.createSymbolicLink(folder.resolve("link"), Path.of("within/../file"));
    Files.createSymbolicLink(folder.resolve("loop"), Path.of("loop"));
    Files.createSymbolicLink(folder.resolve("away"), secret);
    Files.createSymbolicLink(folder.resolve("up"), Path.of("../../../../../../../.." + secret));
    pool = StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(2).build());
  }

  @AfterAll
  static void close() {
    pool.close();
  }

  private static Path program(Toolchain toolchain) throws IOException, InterruptedException {
    Path known = PROGRAMS.get(toolchain);
    if (known != null) {
      return known;
    }
    Path source = scratch.resolve("guest.c");
    try (InputStream text = SandboxKernelIT.class.getResourceAsStream("/guest.c")) {
      Files.write(source, text.readAllBytes());
    }
    Path program = toolchain.compile(source, scratch.resolve("guest-" + toolchain.name()));
    PROGRAMS.put(toolchain, program);
    return program;
  }

  private static List<String> command(Path program, String arguments) {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments.replace("FOLDER", folder.toString()).split(" ", -1)));
    return command;
  }

  private static Outcome onHost(Path program, String arguments)
      throws IOException, InterruptedException {
    Path out = scratch.resolve("out");
    Path err = scratch.resolve("err");
    Path in = Files.writeString(scratch.resolve("in"), INPUT);
    ProcessBuilder builder =
        new ProcessBuilder(command(program, arguments))
            .directory(folder.toFile())
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().put("GREETING", "good morning");
    int status = builder.start().waitFor();
    return new Outcome(status, Files.readString(out), Files.readString(err));
  }

  private static Outcome inKernel(Path program, String arguments) {
    return inKernel(program, arguments, new ArrayList<>());
  }

  /** Diagnostics go to {@code told}. */
  private static Outcome inKernel(Path program, String arguments, List<String> told) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        new SandboxKernel(pool)
            .run(
                Program.builder(program)
                    .arguments(command(program, arguments))
                    .environment(List.of("GREETING=good morning"))
                    .readOnly(List.of(folder))
                    .workingDirectory(folder)
                    .input(new ByteArrayInputStream(INPUT.getBytes(StandardCharsets.UTF_8)))
                    .output(out)
                    .errors(err)
                    .diagnostics(told::add)
                    .build());
    return new Outcome(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  static Stream<Arguments> toolchainsAndCases() {
    return Stream.of(Toolchain.values())
        .flatMap(toolchain -> CASES.stream().map(arguments -> Arguments.of(toolchain, arguments)));
  }

  @ParameterizedTest
  @MethodSource("toolchainsAndCases")
  void shouldDoWhatTheHostDoes(Toolchain toolchain, String arguments)
      throws IOException, InterruptedException {
    Path program = program(toolchain);
    List<String> told = new ArrayList<>();

    Outcome outcome = inKernel(program, arguments, told);

    assertThat(outcome).isEqualTo(onHost(program, arguments));
    assertThat(told).isEmpty();
    assertThat(pool.stats().leased()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Toolchain.class)
  void shouldShowNothingThatWasNotAllowed(Toolchain toolchain)
      throws IOException, InterruptedException {
    String paths = " FOLDER/away FOLDER/up FOLDER/../secret /etc/passwd /proc/self/environ";

    Outcome outcome = inKernel(program(toolchain), "cat " + secret + paths);

    assertThat(outcome.out().lines())
        .hasSize(6)
        .allSatisfy(line -> assertThat(line).endsWith(": No such file or directory"));
  }

  @ParameterizedTest
  @EnumSource(Toolchain.class)
  void shouldChangeNothing(Toolchain toolchain) throws IOException, InterruptedException {
    Outcome outcome = inKernel(program(toolchain), "changes FOLDER/new FOLDER/file");

    assertThat(outcome.out())
        .isEqualTo(
            """
            create: -1 Read-only file system
            write: -1 Read-only file system
            truncate: -1 Read-only file system
            nowhere: -1 No such file or directory
            unlink: -1 Read-only file system
            mkdir: -1 Read-only file system
            access: -1 Read-only file system
            """);
    assertThat(folder.resolve("file")).hasContent("some words in a file");
    assertThat(folder.resolve("new")).doesNotExist();
  }

  @Test
  void shouldNameACallThatItDoesNotHaveOnce() throws IOException, InterruptedException {
    List<String> told = new ArrayList<>();

    Outcome outcome = inKernel(program(Toolchain.GLIBC), "unknown", told);

    assertThat(outcome.out()).isEqualTo("pipe: -1 Function not implemented\n".repeat(2));
    assertThat(told).hasSize(1).first().asString().contains(": pipe");
  }

  @Test
  void shouldSayWhyItCannotRunSomething() throws IOException, InterruptedException {
    Path dynamic = scratch.resolve("dynamic");
    Path source = Files.writeString(scratch.resolve("d.c"), "int main(void) { return 0; }");
    int compiled =
        new ProcessBuilder("gcc", "-o", dynamic.toString(), source.toString())
            .inheritIO()
            .start()
            .waitFor();
    assertThat(compiled).isZero();

    assertThatThrownBy(() -> inKernel(dynamic, ""))
        .isInstanceOf(ProgramException.class)
        .hasMessageStartingWith(dynamic + " is dynamically linked");
    assertThatThrownBy(() -> inKernel(source, ""))
        .isInstanceOf(ProgramException.class)
        .hasMessage(source + " is not an ELF program");
    assertThatThrownBy(() -> inKernel(scratch.resolve("none"), ""))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("none")
        .hasMessageContaining("No such file");
  }

  @Test
  void shouldTraceCallsAsStraceDoes() throws IOException, InterruptedException {
    Path program = program(Toolchain.GLIBC);
    List<String> lines = new ArrayList<>();
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    int status =
        new SandboxKernel(pool)
            .run(
                Program.builder(program)
                    .arguments(command(program, "cat FOLDER/file /none"))
                    .readOnly(List.of(folder))
                    .output(out)
                    .trace(lines::add)
                    .build());

    assertThat(status).isZero();
    assertThat(lines)
        .map(line -> line.replaceAll(" +", " "))
        .contains("openat(AT_FDCWD, \"" + folder + "/file\", O_RDONLY) = 3")
        .contains("openat(AT_FDCWD, \"/none\", O_RDONLY) = -1 ENOENT (No such file or directory)")
        .contains("read(3, \"some words in a file\\n\", 4096) = 21")
        .contains("exit_group(0) = ?")
        .endsWith("+++ exited with 0 +++");
  }
}
