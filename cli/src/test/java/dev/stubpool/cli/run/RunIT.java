package dev.stubpool.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.ChildCommand;
import dev.stubpool.cli.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command around the kernel: streams, arguments, status, diagnostics. */
class RunIT {
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <unistd.h>
      int main(int count, char **arguments) {
        for (int i = 1; i < count; i++) printf("%s\\n", arguments[i]);
        char line[100];
        if (count > 1 && !strcmp(arguments[1], "surroundings"))
          return printf("%s\\n%s\\n", getcwd(line, 100), getenv("GREETING")), 2;
        if (count > 1 && !strcmp(arguments[1], "sleep")) return fflush(stdout), sleep(100);
        while (fgets(line, sizeof line, stdin)) fprintf(stderr, "read %s", line);
        if (count > 1 && !strcmp(arguments[1], "crash")) fflush(stdout), *(volatile char *)0 = 0;
        if (count > 1 && !strcmp(arguments[1], "endless")) while (puts("again") >= 0);
        return count;
      }
      """;

  @TempDir private static Path folder;
  private static String program;

  @BeforeAll
  static void compile() throws IOException, InterruptedException {
    Path source = Files.writeString(folder.resolve("program.c"), SOURCE);
    Path to = folder.resolve("program");
    int status =
        new ProcessBuilder("gcc", "-static", "-w", "-o", to.toString(), source.toString())
            .start()
            .waitFor();
    Assumptions.assumeTrue(status == 0, "gcc -static does not work here");
    program = to.toString();
  }

  private record Ended(int status, String out, String err) {}

  private static Ended run(String input, String... arguments)
      throws IOException, InterruptedException {
    Path err = folder.resolve("err");
    Process process = ChildCommand.start(err, arguments);
    try (var to = process.outputWriter()) {
      to.write(input);
    }
    try (var out = process.inputReader()) {
      String text = out.readAllAsString();
      return new Ended(process.waitFor(), text, Files.readString(err));
    }
  }

  @Test
  void shouldGiveTheProgramItsArgumentsAndStreams() throws IOException, InterruptedException {
    Ended ended = run("a line\n", "run", "--", program, "--strace", "@" + program, "", "--", "a b");

    assertThat(ended.out()).isEqualTo("--strace\n@" + program + "\n\n--\na b\n");
    assertThat(ended.err()).isEqualTo("read a line\n");
    assertThat(ended.status()).isEqualTo(6);
  }

  @Test
  void shouldEndAsTheProgramEnds() throws IOException, InterruptedException {
    Ended ended = run("", "run", "--strace", program, "crash");

    assertThat(ended.out()).isEqualTo("crash\n");
    assertThat(ended.err())
        .contains("write(1, \"crash\\n\", 6)")
        .contains("--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---")
        .endsWith("+++ killed by SIGSEGV +++\n");
    assertThat(ended.status()).isEqualTo(139);
  }

  @Test
  void shouldEndLikeAnyProgramThatNobodyReads() throws IOException, InterruptedException {
    Path err = folder.resolve("err");
    Process process = ChildCommand.start(err, "run", program, "endless");
    process.outputWriter().close();
    process.inputReader().close();

    assertThat(process.waitFor()).isEqualTo(141);
    assertThat(err).isEmptyFile();
  }

  @Test
  void shouldGiveTheProgramWhatTheOptionsSay() throws IOException, InterruptedException {
    Path calls = folder.resolve("calls");

    Ended ended =
        run(
            "",
            "run",
            "--env",
            "GREETING=good morning",
            "--cwd",
            "/usr",
            "--strace=" + calls,
            "--stats",
            program,
            "surroundings");

    assertThat(ended.out()).isEqualTo("surroundings\n/usr\ngood morning\n");
    assertThat(ended.err()).contains(" getcwd\n").contains(" processes in ").doesNotContain("(");
    assertThat(calls).content().contains("getcwd(\"/usr\"").endsWith("+++ exited with 2 +++\n");
  }

  @Test
  void shouldEndAProgramThatTakesTooLong() throws IOException, InterruptedException {
    Ended ended = run("", "run", "--timeout", "300ms", program, "sleep");

    assertThat(ended.err())
        .isEqualTo("stubpool: the program took longer than its timeout, PT0.3S\n");
    assertThat(ended.status()).isEqualTo(124);
  }

  @Test
  void shouldGiveTheProgramItsSignals() throws IOException, InterruptedException {
    Path err = folder.resolve("err");
    Process process = ChildCommand.start(err, "run", program, "sleep");
    try (var out = process.inputReader()) {
      assertThat(out.readLine()).isEqualTo("sleep");
      process.destroy(); // SIGTERM
      assertThat(process.waitFor()).isEqualTo(143);
    }
    assertThat(err).isEmptyFile();
  }

  @Test
  void shouldRefuseWhatIsNoSizeAndNoTime() {
    for (var told :
        List.of(
            List.of("--memory", "much", "'much' is not a size"),
            List.of("--memory", "0", "'0' is not a size"),
            List.of("--memory", "99999999T", "'99999999T' is not a size"),
            List.of("--timeout", "soon", "'soon' is not a duration"),
            List.of("--timeout", "0s", "'0s' is not a duration"))) {
      Outcome outcome = Outcome.of("run", told.get(0), told.get(1), "--", program);

      assertThat(outcome.err()).contains(told.get(2));
      assertThat(outcome.status()).isEqualTo(2);
    }
  }

  @Test
  void shouldSayWhatItCannotRun() {
    for (var told :
        List.of(
            List.of("no-such-program", "no-such-program: not found in PATH"),
            List.of("/no/such", "/no/such: no such file"),
            List.of(folder.toString(), folder + " is not an executable file"),
            List.of(program + ".c", program + ".c is not an executable file"))) {
      Outcome outcome = Outcome.of("run", "--", told.getFirst());

      assertThat(outcome.err()).isEqualTo("stubpool: " + told.getLast() + "\n");
      assertThat(outcome.status()).isEqualTo(1);
    }
    assertThat(Outcome.of("run", "--ro", "/no/such", program).err())
        .isEqualTo("stubpool: --ro /no/such: no such file or directory\n");
  }
}
