package dev.stubpool.seccomp.formats;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.testing.CProgram;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/** The libseccomp of this machine, behind {@code src/test/c/libseccomp_oracle.c}. */
final class LibseccompOracle implements AutoCloseable {
  private final Path folder;
  private final Process process;
  private final BufferedWriter commands;
  private final BufferedReader answers;

  private LibseccompOracle(Path folder, Process process) {
    this.folder = folder;
    this.process = process;
    this.commands = process.outputWriter(UTF_8);
    this.answers = process.inputReader(UTF_8);
  }

  /** Starts the oracle, or skips the test where there can be none. */
  static LibseccompOracle open() throws IOException, InterruptedException {
    if (!System.getProperty("os.name").equals("Linux")
        || !System.getProperty("os.arch").equals("amd64")) {
      abort("no comparison with libseccomp: it needs Linux on x86-64");
    }
    Path folder = Files.createTempDirectory("libseccomp-oracle");
    Path program = folder.resolve("oracle");
    try {
      compile(program);
      Process process =
          new ProcessBuilder(program.toString()).redirectError(Redirect.INHERIT).start();
      return new LibseccompOracle(folder, process);
    } catch (IOException | RuntimeException e) {
      delete(folder);
      throw e;
    }
  }

  private static void compile(Path program) throws IOException, InterruptedException {
    try {
      Process header =
          new ProcessBuilder("gcc", "-E", "-include", "seccomp.h", "-x", "c", "/dev/null")
              .redirectErrorStream(true)
              .redirectOutput(Redirect.DISCARD)
              .start();
      if (header.waitFor() != 0) {
        abort("no comparison with libseccomp: there is no seccomp.h (libseccomp-dev)");
      }
    } catch (IOException e) {
      abort("no comparison with libseccomp: there is no gcc: " + e.getMessage());
    }
    CProgram.compile(Path.of("src/test/c/libseccomp_oracle.c"), program, "-O2", "-lseccomp");
  }

  /** seccomp_init(3). */
  void init(SeccompAction defaultAction) {
    expectSuccess("init " + hex(defaultAction));
  }

  /** seccomp_arch_add(3). */
  void addArchitecture(Architecture architecture) {
    expectSuccess("arch " + architecture.label());
  }

  /** What became of a rule. */
  enum Answer {
    ADDED,
    REFUSED,
    UNKNOWN_CALL
  }

  /** seccomp_rule_add(3). */
  Answer add(String call, SeccompAction action, List<Comparison> comparisons) {
    StringBuilder command = new StringBuilder("rule ").append(hex(action)).append(' ').append(call);
    for (Comparison comparison : comparisons) {
      boolean masked = comparison.operator() == Comparison.Operator.MASKED_EQ;
      command.append(
          " %d %s 0x%x 0x%x"
              .formatted(
                  comparison.argument(),
                  comparison.operator(),
                  masked ? comparison.mask() : comparison.value(),
                  masked ? comparison.value() : 0));
    }
    return switch (ask(command.toString())) {
      case "0" -> Answer.ADDED;
      case "unknown" -> Answer.UNKNOWN_CALL;
      default -> Answer.REFUSED;
    };
  }

  /** seccomp_export_bpf(3): linear with 1, with a binary tree with 2. */
  BpfProgram export(int mode) {
    return BpfProgram.fromBytes(HexFormat.of().parseHex(ask("export " + mode)));
  }

  /** Whether the library has a name, with this number. */
  boolean knows(Architecture architecture, String name, int nr) {
    return ask("number %s %s".formatted(architecture.label(), name)).equals(String.valueOf(nr));
  }

  private void expectSuccess(String command) {
    String answer = ask(command);
    if (!answer.equals("0")) {
      throw new IllegalStateException(command + ": " + answer);
    }
  }

  private String ask(String command) {
    try {
      commands.write(command);
      commands.newLine();
      commands.flush();
      String answer = answers.readLine();
      if (answer == null) {
        throw new IllegalStateException("the oracle has died of: " + command);
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String hex(SeccompAction action) {
    return "0x%x".formatted(action.encode());
  }

  @Override
  public void close() throws IOException {
    commands.close();
    process.onExit().join();
    delete(folder);
  }

  private static void delete(Path folder) throws IOException {
    Files.deleteIfExists(folder.resolve("oracle"));
    Files.deleteIfExists(folder);
  }
}
