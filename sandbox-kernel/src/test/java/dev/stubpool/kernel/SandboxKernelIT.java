package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
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
    return toolchain.program("guest.c", scratch);
  }

  private static Command command(Path program, String arguments) {
    return Command.of(
            program, List.of(arguments.replace("FOLDER", folder.toString()).split(" ", -1)))
        .environment("GREETING=good morning")
        .input("one\ntwo\n\nfour")
        .directory(folder);
  }

  private static Outcome inKernel(Path program, String arguments) throws InterruptedException {
    return inKernel(program, arguments, new ArrayList<>());
  }

  /** Diagnostics go to {@code told}. */
  private static Outcome inKernel(Path program, String arguments, List<String> told)
      throws InterruptedException {
    return new Sandboxed(pool)
        .run(
            command(program, arguments),
            more -> more.readOnly(List.of(folder)).diagnostics(told::add));
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

    assertThat(outcome).isEqualTo(Native.run(command(program, arguments)));
    assertThat(told).isEmpty();
    assertThat(pool.stats().leased()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Toolchain.class)
  void shouldShowNothingThatWasNotAllowed(Toolchain toolchain)
      throws IOException, InterruptedException {
    String hidden = " FOLDER/away FOLDER/up FOLDER/../secret /proc/1/environ /sys/kernel/debug";
    String forbidden = " /etc/shadow /root/.profile";

    Outcome none = inKernel(program(toolchain), "cat " + secret + hidden);
    Outcome denied = inKernel(program(toolchain), "cat" + forbidden);

    assertThat(none.out().lines())
        .hasSize(6)
        .allSatisfy(line -> assertThat(line).endsWith(": No such file or directory"));
    assertThat(denied.out().lines())
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).endsWith(": Permission denied"));
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

    assertThat(outcome.out()).isEqualTo("acct: -1 Function not implemented\n".repeat(2));
    assertThat(told).hasSize(1).first().asString().contains(": acct");
  }

  @Test
  void shouldSayWhyItCannotRunSomething() throws IOException, InterruptedException {
    Path dynamic = scratch.resolve("dynamic");
    Path source = Files.writeString(scratch.resolve("d.c"), "int main(void) { return 0; }");
    Compiler.run(Map.of(), "gcc", "-o", dynamic.toString(), source.toString());

    assertThatThrownBy(() -> inKernel(dynamic, ""))
        .isInstanceOf(ProgramException.class)
        .hasMessageStartingWith(dynamic + " is dynamically linked");
    assertThatThrownBy(() -> inKernel(source, ""))
        .isInstanceOf(ProgramException.class)
        .hasMessage(source + ": Permission denied");
    Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("rwxr-xr-x"));
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
    List<String> lines = new ArrayList<>();

    Outcome outcome =
        new Sandboxed(pool)
            .run(
                command(program(Toolchain.GLIBC), "cat FOLDER/file /none"),
                more -> more.readOnly(List.of(folder)).trace(lines::add));

    assertThat(outcome.status()).isZero();
    assertThat(lines)
        .map(line -> line.replaceAll(" +", " "))
        .contains("openat(AT_FDCWD, \"" + folder + "/file\", O_RDONLY) = 3")
        .contains("openat(AT_FDCWD, \"/none\", O_RDONLY) = -1 ENOENT (No such file or directory)")
        .contains("read(3, \"some words in a file\\n\", 4096) = 21")
        .contains("exit_group(0) = ?")
        .endsWith("+++ exited with 0 +++");
  }
}
