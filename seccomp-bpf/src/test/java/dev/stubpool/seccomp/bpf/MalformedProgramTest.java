package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.testing.Effort;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/**
 * Whatever is read ends in a program or in an error that says where: in no other exception, and in
 * no program that does not mean what was written.
 */
class MalformedProgramTest {

  private static final List<String> PIECES =
      List.of(
          "ld ",
          "ldx ",
          "ldb ",
          "ldxb ",
          "st ",
          "jeq ",
          "jne ",
          "jlt ",
          "jset ",
          "jmp ",
          "ret ",
          "add ",
          "lsh ",
          "neg ",
          "tax ",
          ".insn ",
          "[0]",
          "[x + 4]",
          "[",
          "]",
          "M[1]",
          "M[16]",
          "#",
          "#1",
          "#0x7fff0000",
          "#-1",
          "0x",
          "0xfffffffff",
          "08",
          "9999999999999999999",
          "x",
          "%x",
          "a",
          "len",
          "cpu",
          ",",
          ":",
          "end",
          "end:",
          "l1",
          "l1: ",
          "4*([0]&0xf)",
          "*",
          "(",
          "{",
          "}",
          "{ 6, 0, 0, 0 },",
          "3,",
          "6 0 0 0,",
          "/*",
          "*/",
          ";",
          "\n",
          "\r\n",
          "\t",
          " ",
          "\0",
          "\u00e9",
          "\ud83d\ude00",
          "\ud800",
          "\u2028",
          "@",
          "\\",
          "\"");

  @Test
  void shouldReadAnyTextOrSayWhereItIsWrong() {
    int[] outcomes = {0, 0};
    int cases = Effort.cases(4_000, 1_000_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          String text = random.nextBoolean() ? pieces(random) : spoiled(random);
          outcomes[isProgram(text) ? 0 : 1]++;
        });

    // Else one of the two would hardly be tested.
    assertThat(outcomes[0]).isGreaterThan(cases / 20);
    assertThat(outcomes[1]).isGreaterThan(cases / 4);
  }

  private static boolean isProgram(String text) {
    try {
      BpfProgram program = BpfAssemblyText.parse(text);
      assertThat(BpfAssemblyText.parse(program.toString())).isEqualTo(program);
      return true;
    } catch (BpfSyntaxException e) {
      List<String> lines = text.lines().toList();
      // The end of a text that ends a line is on the next one.
      assertThat(e.line())
          .isBetween(1, Math.max(1, (int) text.chars().filter(c -> c == '\n').count() + 1));
      String line = e.line() <= lines.size() ? text.split("\n", -1)[e.line() - 1] : "";
      assertThat(e.column()).isBetween(1, line.length() + 1);
      assertThat(e.reason()).isNotBlank().doesNotContain("\n");
      return false;
    }
  }

  private static String pieces(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(1, 12); i > 0; i--) {
      text.append(Effort.oneOf(random, PIECES));
    }
    return text.toString();
  }

  /** A good program in one of the notations, with some characters changed. */
  private static String spoiled(RandomGenerator random) {
    BpfProgram program = RandomPrograms.valid(random, 12);
    StringBuilder text =
        new StringBuilder(
            switch (random.nextInt(3)) {
              case 0 -> braces(program);
              case 1 -> decimal(program);
              default -> program.toString();
            });
    for (int i = random.nextInt(4); i > 0; i--) {
      int place = random.nextInt(text.length());
      switch (random.nextInt(4)) {
        case 0 -> text.deleteCharAt(place);
        case 1 -> text.insert(place, Effort.oneOf(random, PIECES));
        case 2 -> text.setCharAt(place, (char) random.nextInt(0x80));
        default -> text.setLength(Math.max(1, place));
      }
      if (text.isEmpty()) {
        text.append(' ');
      }
    }
    return text.toString();
  }

  private static String braces(BpfProgram program) {
    StringBuilder text = new StringBuilder();
    program
        .instructions()
        .forEach(
            i ->
                text.append(
                    "{ %#04x, %2d, %2d, %#010x },\n".formatted(i.code(), i.jt(), i.jf(), i.k())));
    return text.toString();
  }

  private static String decimal(BpfProgram program) {
    StringBuilder text = new StringBuilder().append(program.length()).append(',');
    program
        .instructions()
        .forEach(
            i ->
                text.append(
                    "%d %d %d %d,"
                        .formatted(i.code(), i.jt(), i.jf(), Integer.toUnsignedLong(i.k()))));
    return text.toString();
  }

  @Test
  void shouldReadBackEveryNotation() {
    Effort.forEachSeed(
        Effort.cases(500, 100_000),
        seed -> {
          BpfProgram program = new BpfProgram(RandomPrograms.arbitrary(Effort.random(seed), 9));
          assertThat(BpfAssemblyText.parse(braces(program))).isEqualTo(program);
          assertThat(BpfAssemblyText.parse(decimal(program))).isEqualTo(program);
        });
  }

  @Test
  void shouldJudgeAnyBytes() {
    int[] outcomes = {0, 0, 0};
    int cases = Effort.cases(4_000, 1_000_000);
    Effort.forEachSeed(cases, seed -> outcomes[judge(bytes(Effort.random(seed)))]++);

    assertThat(outcomes[0]).isGreaterThan(cases / 20);
    assertThat(outcomes[1]).isGreaterThan(cases / 20);
    assertThat(outcomes[2]).isGreaterThan(cases / 20);
  }

  private static byte[] bytes(RandomGenerator random) {
    if (random.nextInt(4) == 0) {
      byte[] noise = new byte[random.nextInt(80)];
      random.nextBytes(noise);
      return noise;
    }
    byte[] bytes = RandomPrograms.valid(random, 20).toBytes();
    for (int i = random.nextInt(4); i > 0; i--) {
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    }
    return bytes;
  }

  /** 0 for a program that the kernel takes, 1 for one that it refuses, 2 for none. */
  private static int judge(byte[] bytes) {
    BpfProgram program;
    try {
      program = BpfProgram.fromBytes(bytes);
    } catch (IllegalArgumentException e) {
      assertThat(bytes.length % BpfInstruction.SIZE != 0 || bytes.length == 0).isTrue();
      return 2;
    }
    assertThat(program.toBytes()).isEqualTo(bytes);
    assertThat(BpfAssemblyText.parse(program.toString())).isEqualTo(program);
    Optional<BpfVerifier.Violation> violation = BpfVerifier.verify(program);
    if (violation.isPresent()) {
      assertThat(violation.get().index()).isBetween(0, program.length() - 1);
      return 1;
    }
    BpfCost cost = BpfCost.of(program);
    assertThat(BpfSimulator.run(program, SeccompData.of(Architecture.X86_64, 1, 2, 3)).steps())
        .isBetween(cost.minSteps(), cost.maxSteps());
    return 0;
  }
}
