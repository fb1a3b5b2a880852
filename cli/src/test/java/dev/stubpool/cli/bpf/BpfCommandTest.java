package dev.stubpool.cli.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.JsonText;
import dev.stubpool.cli.Outcome;
import dev.stubpool.seccomp.bpf.BpfAssemblyText;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs go from file to file; what becomes of standard output is for BpfIT. */
class BpfCommandTest {

  private static final String FILTER =
      """
      ld [4]
      jne #0xc000003e, bad
      ld [0]
      jge #0x40000000, bad
      jeq #39, good
      jne #62, bad
      ld [24]
      jeq #19, good
      bad: ret #0x50001
      good: ret #0x7fff0000
      """;

  @TempDir private Path folder;
  private Path filter;

  @BeforeEach
  void writeFilter() throws IOException {
    filter = file("filter", FILTER);
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static Outcome bpf(Object... arguments) {
    List<String> all = new ArrayList<>(List.of("bpf"));
    Arrays.stream(arguments).map(Object::toString).forEach(all::add);
    return Outcome.of(all.toArray(String[]::new));
  }

  private static String printed(Object... arguments) {
    Outcome outcome = bpf(arguments);
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    return outcome.out();
  }

  private static void assertFailure(Outcome outcome, String message) {
    assertThat(outcome.err()).isEqualTo("stubpool: " + message + System.lineSeparator());
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.status()).isEqualTo(1);
  }

  @Test
  void shouldAssembleAndDisassemble() throws IOException {
    Path raw = folder.resolve("raw");
    Path text = folder.resolve("text");
    BpfProgram program = BpfAssemblyText.parse(FILTER);

    assertThat(printed("asm", filter, "-o", raw)).isEmpty();
    assertThat(Files.readAllBytes(raw)).isEqualTo(program.toBytes());
    assertThat(printed("disasm", raw)).isEqualTo(program.toString());
    assertThat(printed("disasm", "--output", text, raw)).isEmpty();
    assertThat(text).hasContent(program.toString());
    assertThat(printed("asm", "--text", text)).isEqualTo(program.toString());
  }

  @Test
  void shouldReadNumbers() throws IOException {
    String expected = BpfAssemblyText.parse("ret #0x7fff0000").toString();

    assertThat(printed("disasm", file("c", "{ 0x06, 0, 0, 0x7fff0000 },"))).isEqualTo(expected);
    assertThat(printed("disasm", file("d", "1,6 0 0 2147418112,"))).isEqualTo(expected);
  }

  @Test
  void shouldReadStandardInput() {
    InputStream before = System.in;
    try {
      System.setIn(new ByteArrayInputStream("ret #0".getBytes(StandardCharsets.UTF_8)));
      assertThat(printed("disasm")).contains("KILL_THREAD");
      System.setIn(new ByteArrayInputStream(BpfAssemblyText.parse("ret #0").toBytes()));
      assertThat(printed("disasm", "-")).contains("KILL_THREAD");
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void shouldSayWhereAProgramIsWrong() throws IOException {
    Path bad = file("bad", "ld [0]\n  jeq #1, x\n");

    assertFailure(bpf("asm", bad), bad + ":2:11: expected a label, not \"x\"");
    assertFailure(
        bpf("asm", folder.resolve("none")),
        "cannot read " + folder.resolve("none") + ": No such file or directory");
    assertFailure(bpf("verify", folder), "cannot read " + folder + ": Is a directory");
    Path odd = Files.write(folder.resolve("odd"), new byte[12]);
    assertFailure(
        bpf("disasm", odd),
        odd
            + ": contains a zero byte, so it is not text; and 12 bytes are not an array of"
            + " instructions of 8 bytes each");
    Path binary = Files.write(folder.resolve("binary"), new byte[] {'l', 'd', (byte) 0xff});
    assertFailure(bpf("disasm", binary), binary + ": neither text in UTF-8 nor a program");
    Path empty = file("empty", "");
    assertFailure(bpf("disasm", empty), empty + ":1:1: there is no instruction");
    Path escape = file("escape", "ld [0] \u001b[31m");
    assertFailure(bpf("disasm", escape), escape + ":1:8: unexpected character U+001B");
    assertThat(bpf("disasm", filter, "-o", folder).err()).startsWith("stubpool: cannot write: ");
  }

  @Test
  void shouldVerify() throws IOException {
    assertThat(printed("verify", filter).lines())
        .containsExactly(
            "accepted",
            "instructions  10",
            "as eBPF       16",
            "stackable     1638 times in a thread",
            "steps         3 to 9",
            "in bitmap     x86_64: getpid");
    assertThat(JsonText.values(printed("verify", "--json", filter)))
        .containsEntry("/accepted", "true")
        .containsEntry("/instructions", "10")
        .containsEntry("/ebpf_length", "16")
        .containsEntry("/stackable", "1638")
        .containsEntry("/min_steps", "3")
        .containsEntry("/max_steps", "9")
        .containsEntry("/bitmap/x86_64/0", "39");
  }

  @Test
  void shouldRefuseAsTheKernelDoes() throws IOException {
    Outcome outcome = bpf("verify", file("bad", "ld [0] ldh [0] ret a"));
    assertThat(outcome.out())
        .isEqualTo("refused: instruction 1: opcode 0x0028 has no meaning here%n".formatted());
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isEqualTo(1);

    outcome = bpf("verify", "--json", file("bad", "ret a ld #0"));
    assertThat(JsonText.values(outcome.out()))
        .containsEntry("/accepted", "false")
        .containsEntry("/rule", "FINAL_RETURN")
        .containsEntry("/index", "1")
        .containsEntry("/reason", "the last instruction is not a return");
    assertThat(outcome.status()).isEqualTo(1);

    Path tooLong = Files.write(folder.resolve("long"), new byte[8 * 4097]);
    outcome = bpf("verify", tooLong);
    assertThat(outcome.out())
        .isEqualTo("refused: a program has 1 to 4096 instructions, not 4097%n".formatted());
    assertThat(outcome.status()).isEqualTo(1);
    assertFailure(bpf("disasm", tooLong), tooLong + ": a program has 1 to 4096 instructions: 4097");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --nr 39                                   | ALLOW    | 0x7fff0000 | 6
          --nr getpid --arch x86_64                 | ALLOW    | 0x7fff0000 | 6
          --nr 0x27                                 | ALLOW    | 0x7fff0000 | 6
          --nr kill --arg 1 --arg 19                | ALLOW    | 0x7fff0000 | 9
          --nr kill --arg 0xffffffffffffffff --arg 0x13 --ip 0x1000 | ALLOW | 0x7fff0000 | 9
          --nr kill --arg 19 --arg -1               | ERRNO(1) | 0x00050001 | 9
          --nr 39 --arch x86                        | ERRNO(1) | 0x00050001 | 3
          --nr getpid --arch aarch64                | ERRNO(1) | 0x00050001 | 3
          --nr 0x40000027 --arch x32                | ERRNO(1) | 0x00050001 | 5
          --nr -1 --arch amd64                      | ERRNO(1) | 0x00050001 | 5
          --nr 39 --arch 0xc000003e                 | ALLOW    | 0x7fff0000 | 6
          """)
  void shouldSimulateOneCase(String options, String action, String ret, int steps) {
    List<Object> arguments = new ArrayList<>(List.of("sim", filter));
    arguments.addAll(List.of(options.split(" ")));

    assertThat(printed(arguments.toArray()))
        .isEqualTo(
            "{\"action\":\"%s\",\"ret\":\"%s\",\"steps\":%d}%n".formatted(action, ret, steps));
  }

  @Test
  void shouldSimulateCases() throws IOException {
    Path cases =
        file(
            "cases",
            """
            {"arch":"x86_64","nr":39,"args":["0x0","0","0","0","0","0"]}

            {"t": "ignored", "want": {"x": [1]}, "nr": "62", "args": ["0x1", 19], "arch": "x86_64", "ip": "0x7fff"}
            {"arch":"x32","nr":1073741863}
            {"arch":"x86","nr":"getpid","args":[]}
            """);

    assertThat(printed("sim", "--cases", cases, filter).lines())
        .containsExactly(
            "{\"action\":\"ALLOW\",\"ret\":\"0x7fff0000\",\"steps\":6}",
            "{\"action\":\"ALLOW\",\"ret\":\"0x7fff0000\",\"steps\":9}",
            "{\"action\":\"ERRNO(1)\",\"ret\":\"0x00050001\",\"steps\":5}",
            "{\"action\":\"ERRNO(1)\",\"ret\":\"0x00050001\",\"steps\":3}");
  }

  @Test
  void shouldNameEveryAction() throws IOException {
    String actions =
        """
        0x7fff0000 ALLOW
        0x7ffc0000 LOG
        0x7ff00007 TRACE(7)
        0x7fc00000 NOTIFY
        0x00050016 ERRNO(22)
        0x00030000 TRAP
        0x00000000 KILL
        0x80000000 KILL_PROCESS
        """;
    for (String line : actions.lines().toList()) {
      String[] columns = line.split(" ", -1);
      assertThat(printed("sim", file("one", "ret #" + columns[0]), "--nr", "0"))
          .isEqualTo(
              "{\"action\":\"%s\",\"ret\":\"%s\",\"steps\":1}%n".formatted(columns[1], columns[0]));
    }
  }

  @Test
  void shouldTellTheCoverage() throws IOException {
    String last =
        printed("sim", filter, "--nr", "39", "--coverage")
            .lines()
            .reduce((_, b) -> b)
            .orElseThrow();

    assertThat(JsonText.values(last))
        .containsEntry("/never_executed/0", "5")
        .containsEntry("/one_sided/0", "1")
        .containsEntry("/bytes_read/7", "7")
        .doesNotContainKey("/bytes_read/8");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          5                                      | expected a JSON object
          {"arch":"x86_64"}                      | "nr" is missing
          {"nr":1}                               | "arch" is missing
          {"arch":"vax","nr":1}                  | unknown architecture "vax"; known are: x86_64, x86, x32, aarch64, arm, riscv64, riscv32, loongarch64, mipsel, mipsel64, mipsel64n32, ppc64le, sh
          {"arch":"x86_64","nr":"raed"}          | unknown system call "raed"
          {"arch":"x86_64","nr":4294967296}      | unknown system call "4294967296"
          {"arch":"x86_64","nr":1.5}             | "nr" must be a string or an integer
          {"arch":"x86_64","nr":1,"args":5}      | "args" must be an array
          {"arch":"x86_64","nr":1,"args":[null]} | "args[0]" must be a string or an integer
          {"arch":"x86_64","nr":1,"args":["y"]}  | "args[0]" is not a 64-bit number: y
          {"arch":"x86_64","nr":1,"args":[0,1,2,3,4,5,6]} | a system call has at most six arguments
          {"arch":"x86_64","nr":1,"ip":"0x10000000000000000"} | "ip" is not a 64-bit number: 0x10000000000000000
          {"arch":"x86_64","nr":1} 2             | unexpected text after the object
          """)
  void shouldSayWhatIsWrongWithACase(String line, String message) throws IOException {
    Path cases = file("cases", "\n" + line + "\n");

    assertFailure(bpf("sim", filter, "--cases", cases), cases + ":2: " + message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "{\"arch\"", "{\"nr\":1,\"nr\":2}", "[[[[", "\u0000", "{\"a\":tru}"})
  void shouldSayWhereTheJsonIsBroken(String line) throws IOException {
    Path cases = file("cases", line);

    Outcome outcome = bpf("sim", filter, "--cases", cases);
    assertThat(outcome.err().lines())
        .hasSize(1)
        .allMatch(l -> l.startsWith("stubpool: " + cases + ":1: "));
    assertThat(outcome.status()).isEqualTo(1);
  }

  @Test
  void shouldNotSimulateWhatTheKernelRefuses() throws IOException {
    Path bad = file("bad", "ld [0]");

    assertFailure(
        bpf("sim", bad, "--nr", "1"),
        bad
            + ": the kernel would refuse this: instruction 0: the last instruction is not a"
            + " return");
  }

  @Test
  void shouldTellPrograms() throws IOException {
    Path same = file("same", FILTER.replace("ret #0x50001", "ld #0x50001 ret a"));
    Path other = file("other", FILTER.replace("#19", "#18"));

    assertThat(printed("diff", filter, same)).isEqualTo("equal%n".formatted());
    assertThat(printed("diff", "--json", filter, same)).isEqualTo("{\"equal\":true}%n".formatted());
    Outcome outcome = bpf("diff", filter, other);
    assertThat(outcome.status()).isEqualTo(1);
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out().lines()).hasSize(3);
    assertThat(outcome.out()).startsWith("different: x86_64 kill(").contains("ERRNO(1)", "ALLOW");

    outcome = bpf("diff", "--json", filter, other);
    assertThat(outcome.status()).isEqualTo(1);
    assertThat(JsonText.values(outcome.out()))
        .containsEntry("/equal", "false")
        .containsEntry("/input/arch", "x86_64")
        .containsEntry("/input/nr", "62")
        .containsKeys("/input/args/5", "/input/ip", "/a/action", "/b/ret", "/b/steps");
    Path bad = file("bad", "ld [0]");
    assertThat(bpf("diff", filter, bad).err()).startsWith("stubpool: " + bad + ": the kernel");
  }

  @Test
  void shouldAudit() throws IOException {
    Path open = file("open", "ld [0] jeq #59, l2, l3 l2: ret #0 l3: ret #0x7fff0000");

    assertThat(printed("audit", open)).contains("no-architecture-check");
    assertThat(JsonText.values(printed("audit", "--json", open)))
        .containsValue("no-architecture-check")
        .containsKeys("/findings/0/id", "/findings/0/severity", "/findings/0/message");
    Path bad = file("bad", "ld [0]");
    assertThat(bpf("audit", bad).err()).startsWith("stubpool: " + bad + ": the kernel");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          bpf                         | no command given; try stubpool bpf --help
          bpf assemble                | unexpected argument 'assemble'; try stubpool bpf --help
          bpf asm a b                 | unexpected argument 'b'; try stubpool bpf asm --help
          bpf asm --txt               | unknown option '--txt'; try stubpool bpf asm --help
          bpf asm -o                  | --output needs a value, FILE; try stubpool bpf asm --help
          bpf sim                     | give either --nr or --cases; try stubpool bpf sim --help
          bpf sim --nr 1 --cases x    | give either --nr or --cases; try stubpool bpf sim --help
          bpf sim --cases x --arg 1   | --arg requires --nr; try stubpool bpf sim --help
          bpf sim --cases -           | program and cases cannot both be standard input; try stubpool bpf sim --help
          bpf sim --nr nope           | unknown system call "nope"; try stubpool bpf sim --help
          bpf sim --nr 1 --arg y      | --arg: 'y' is not a 64-bit number; try stubpool bpf sim --help
          bpf sim --nr 1 --ip -0x1    | --ip: '-0x1' is not a 64-bit number; try stubpool bpf sim --help
          bpf diff                    | no A given; try stubpool bpf diff --help
          bpf diff - -                | the programs cannot both be standard input; try stubpool bpf diff --help
          """)
  void shouldSayWhatIsWrongWithTheArguments(String arguments, String message) {
    Outcome outcome = Outcome.of(arguments.split(" "));

    assertThat(outcome.err()).isEqualTo("stubpool: " + message + System.lineSeparator());
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.status()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "asm", "disasm", "verify", "sim", "compile", "diff", "audit"})
  void shouldHelp(String command) {
    List<String> arguments = new ArrayList<>(List.of("bpf"));
    arguments.addAll(command.isEmpty() ? Collections.emptyList() : List.of(command));
    arguments.add("--help");
    Outcome outcome = Outcome.of(arguments.toArray(String[]::new));

    assertThat(outcome.out()).startsWith("Usage: stubpool bpf");
    assertThat(outcome.out().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThan(81));
    assertThat(outcome.status()).isZero();
  }
}
