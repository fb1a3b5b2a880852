package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.stubpool.testing.Effort;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BpfAssemblyTextTest {

  private static BpfInstruction op(int code, int k) {
    return BpfInstruction.of(code, k);
  }

  /** Each line by itself, with what bpf_asm makes of it. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ld [0]              | 0x20 | 0
          ld  [ 60 ]          | 0x20 | 60
          LD [4]              | 0x20 | 4
          ld [x + 8]          | 0x40 | 8
          ld [%x + 8]         | 0x40 | 8
          ld [x+8]            | 0x40 | 8
          ldh [12]            | 0x28 | 12
          ldh [x + 1]         | 0x48 | 1
          ldb [23]            | 0x30 | 23
          ldb [x+0]           | 0x50 | 0
          ld #1               | 0x00 | 1
          ld #-1              | 0x00 | 0xffffffff
          ld #+7              | 0x00 | 7
          ldi #0x10           | 0x00 | 16
          ldi 010             | 0x00 | 8
          ld #0b101           | 0x00 | 5
          ld #4294967295      | 0x00 | 0xffffffff
          ld #-2147483648     | 0x00 | 0x80000000
          ld M[3]             | 0x60 | 3
          ld m[15]            | 0x60 | 15
          ld len              | 0x80 | 0
          ld #len             | 0x80 | 0
          ld cpu              | 0x20 | 0xfffff024
          ld #proto           | 0x20 | 0xfffff000
          ldb vlan_tpid       | 0x30 | 0xfffff03c
          ldx #1              | 0x01 | 1
          ldxi 5              | 0x01 | 5
          ldx M[2]            | 0x61 | 2
          ldx len             | 0x81 | 0
          ldx #len            | 0x81 | 0
          ldxb 4*([14]&0xf)   | 0xb1 | 14
          ldx 4 * ([0] & 15)  | 0xb1 | 0
          st M[0]             | 0x02 | 0
          stx M[1]            | 0x03 | 1
          add #3              | 0x04 | 3
          add x               | 0x0c | 0
          add %x              | 0x0c | 0
          sub #3              | 0x14 | 3
          mul #3              | 0x24 | 3
          div x               | 0x3c | 0
          or #3               | 0x44 | 3
          and #0xff           | 0x54 | 255
          lsh #3              | 0x64 | 3
          rsh x               | 0x7c | 0
          mod #3              | 0x94 | 3
          xor x               | 0xac | 0
          neg                 | 0x84 | 0
          ret #0x7fff0000     | 0x06 | 0x7fff0000
          ret a               | 0x16 | 0
          ret %A              | 0x16 | 0
          ret x               | 0x0e | 0
          tax                 | 0x07 | 0
          txa                 | 0x87 | 0
          .insn 0xffff,0,0,-1 | 0xffff | 0xffffffff
          """)
  void shouldReadInstruction(String text, String code, String k) {
    assertThat(BpfAssemblyText.parse(text))
        .isEqualTo(BpfProgram.of(op(Integer.decode(code), Long.decode(k).intValue())));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          jeq #1, near, far  | 0x15 | 0 | 1 | 1
          jeq x, far, near   | 0x1d | 1 | 0 | 0
          jeq #1, far        | 0x15 | 1 | 0 | 1
          jne #1, far        | 0x15 | 0 | 1 | 1
          jneq %x, far       | 0x1d | 0 | 1 | 0
          jlt #5, far        | 0x35 | 0 | 1 | 5
          jlt x, far         | 0x3d | 0 | 1 | 0
          jle #5, far        | 0x25 | 0 | 1 | 5
          jgt #5, far        | 0x25 | 1 | 0 | 5
          jge x,far,far      | 0x3d | 1 | 1 | 0
          jset #5,near,far   | 0x45 | 0 | 1 | 5
          jmp far            | 0x05 | 0 | 0 | 1
          ja near            | 0x05 | 0 | 0 | 0
          .insn 21, 9, 8, 7  | 0x15 | 9 | 8 | 7
          """)
  void shouldReadJump(String text, String code, int jt, int jf, int k) {
    BpfProgram program = BpfAssemblyText.parse(text + "\nnear: ret #0\nfar: ret #1");

    assertThat(program.instructions().getFirst())
        .isEqualTo(new BpfInstruction(Integer.decode(code), jt, jf, k));
  }

  @Test
  void shouldReadCommentsBlanksAndLabels() {
    assertThat(
            BpfAssemblyText.parse(
                """
                # a line of its own; ld [0]
                /* over
                   lines **/ ld [4] ; behind
                	jeq #0xc000003e,good,Good jmp\tgood
                good:
                  go_on: ret #0x7fff0000 Good: ret #0 ; end\
                """))
        .isEqualTo(
            BpfProgram.of(
                op(0x20, 4),
                new BpfInstruction(0x15, 1, 2, 0xc000003e),
                op(0x05, 0),
                op(0x06, 0x7fff0000),
                op(0x06, 0)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          ~{ 0x20, 0, 0, 0x4 },\\n{ 0x15,  1,  2, 0xc000003e },\\n{ 6, 0, 0, 0 }~
          ~{ 0x20,  0,  0, 0x00000004 }, /* arch */ { 0x15,1,2,3221225534 }, { 0x06, 0, 0, 0x00000000 },~
          ~3,32 0 0 4,21 1 2 3221225534,6 0 0 0,~
          ~3\\n32 0 0 4\\n21 1 2 3221225534\\n6 0 0 0\\n~
          """)
  void shouldReadNumbers(String text) {
    assertThat(BpfAssemblyText.parse(text.replace("\\n", "\n")))
        .isEqualTo(
            BpfProgram.of(op(0x20, 4), new BpfInstruction(0x15, 1, 2, 0xc000003e), op(0x06, 0)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          ~~                         | 1 | 1 | ~there is no instruction~
          ~; nothing\\n  ~           | 2 | 3 | ~there is no instruction~
          ~ld [0]\\n bad #1~         | 2 | 2 | ~expected an instruction, not "bad"~
          ~ld~                       | 1 | 3 | ~expected what to load, not the end~
          ~ld 5~                     | 1 | 4 | ~expected what to load, not "5"~
          ~ld [0~                    | 1 | 6 | ~expected "]", not the end~
          ~ld [x 4]~                 | 1 | 7 | ~expected "+", not "4"~
          ~ld [x]~                   | 1 | 6 | ~expected "+", not "]"~
          ~ld [foo]~                 | 1 | 5 | ~expected a number, not "foo"~
          ~ld #0x~                   | 1 | 5 | ~"0x" is not a number~
          ~ld #08~                   | 1 | 5 | ~"08" is not a number~
          ~ld #1z~                   | 1 | 5 | ~"1z" is not a number~
          ~ld #0x100000000~          | 1 | 5 | ~"0x100000000" has more than 32 bits~
          ~ld #-2147483649~          | 1 | 5 | ~"-2147483649" has more than 32 bits~
          ~ld #99999999999999999999~ | 1 | 5 | ~"99999999999999999999" has more than 32 bits~
          ~ret 0x7fff0000~           | 1 | 5 | ~expected "#" and a number, or "x", not "0x7fff0000"~
          ~jeq #1~                   | 1 | 7 | ~expected ",", not the end~
          ~jeq #1, 5~                | 1 | 9 | ~expected a label, not "5"~
          ~jeq #1, ld\\nld: ret #0~  | 1 | 9 | ~expected a label, not "ld"~
          ~jeq #1, no, no\\nret #0~  | 1 | 9 | ~undefined label "no"~
          ~up: ld [0]\\njmp up~      | 2 | 5 | ~jumps only go forward, and label "up" is not ahead~
          ~up: up: ret #0~           | 1 | 5 | ~label "up" is already defined~
          ~ret #0\\nend:~            | 2 | 5 | ~a label needs an instruction after it~
          ~x: ret #0~                | 1 | 1 | ~expected a label, not "x"~
          ~ret #0 /* open~           | 1 | 8 | ~this comment does not end~
          ~ret #0 @~                 | 1 | 8 | ~unexpected character "@"~
          ~ret #0 \u00e9~            | 1 | 8 | ~unexpected character U+00E9~
          ~ldx 3*([0]&0xf)~          | 1 | 5 | ~expected 4, not "3"~
          ~.insn 65536,0,0,0~        | 1 | 7 | ~code must be 0 to 65535: 65536~
          ~.insn 0,256,0,0~          | 1 | 9 | ~jt must be 0 to 255: 256~
          ~.insn 0,0,-1,0~           | 1 | 11 | ~jf must be 0 to 255: -1~
          ~.word 1~                  | 1 | 1 | ~expected an instruction, not ".word"~
          ~{ 6, 0, 0 }~              | 1 | 11 | ~expected ",", not "}"~
          ~{ 6, 0, 0, 0 } 5~         | 1 | 16 | ~expected ",", not "5"~
          ~2,6 0 0 0,~               | 1 | 1 | ~the number of instructions is said to be 2, but it is 1~
          ~1,6 0 0~                  | 1 | 8 | ~expected a number, not the end~
          ~0~                        | 1 | 2 | ~there is no instruction~
          """)
  void shouldSayWhereAndWhatIsWrong(String text, int line, int column, String reason) {
    BpfSyntaxException error =
        catchThrowableOfType(
            BpfSyntaxException.class, () -> BpfAssemblyText.parse(text.replace("\\n", "\n")));

    assertThat(error).as("error").isNotNull();
    assertThat(error.reason()).isEqualTo(reason);
    assertThat(List.of(error.line(), error.column())).containsExactly(line, column);
    assertThat(error)
        .hasMessage("line " + line + ", column " + column + ": " + error.reason())
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldKnowTheReachOfJumps() {
    String body = "ld [0]\n".repeat(255) + "end: ret #0";
    assertThat(BpfAssemblyText.parse("jeq #1, end\n" + body).instructions().getFirst().jt())
        .isEqualTo(255);

    BpfSyntaxException error =
        catchThrowableOfType(
            BpfSyntaxException.class,
            () -> BpfAssemblyText.parse("jne #1, end\n" + "ld [0]\n" + body));
    assertThat(error)
        .hasMessage(
            "line 1, column 9: label \"end\" is too far: a conditional jump skips at most 255"
                + " instructions, not 256");
  }

  @Test
  void shouldKnowTheLimitOfNames() {
    String name = "n".repeat(255);
    assertThat(BpfAssemblyText.parse(name + ": ret #" + "0".repeat(254) + "1").length()).isOne();

    for (String text : List.of(" " + name + "n: ret #0", "ld " + "1".repeat(256))) {
      BpfSyntaxException error =
          catchThrowableOfType(BpfSyntaxException.class, () -> BpfAssemblyText.parse(text));
      assertThat(error.reason()).isEqualTo("names and numbers have at most 255 characters");
    }
  }

  @Test
  void shouldKnowTheLimitOfPrograms() {
    assertThat(BpfAssemblyText.parse("ret #0\n".repeat(4096)).length()).isEqualTo(4096);

    BpfSyntaxException error =
        catchThrowableOfType(
            BpfSyntaxException.class, () -> BpfAssemblyText.parse("ret #0\n".repeat(4097)));
    assertThat(error).hasMessage("line 4097, column 1: a program has at most 4096 instructions");
  }

  @Test
  void shouldReadBackEveryOpcode() {
    for (int code = 0; code < 0x10000; code++) {
      assertFixedPoint(
          BpfProgram.of(
              op(code, 0),
              op(code, 1),
              op(code, -1),
              new BpfInstruction(code, 0, 1, 0),
              new BpfInstruction(code, 2, 0, 2),
              op(0x06, 0)));
    }
  }

  @Test
  void shouldReadBackRandomPrograms() {
    long[] lines = {0, 0};
    int cases = Effort.cases(5_000, 1_000_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          int length = random.nextInt(1, random.nextInt(20) == 0 ? 600 : 30);
          String text =
              assertFixedPoint(
                  new BpfProgram(
                      switch (random.nextInt(3)) {
                        case 0 -> RandomPrograms.arbitrary(random, length);
                        case 1 -> RandomPrograms.nearlyLegal(random, length);
                        default -> RandomPrograms.legalParts(random, length);
                      }));
          lines[0] += text.lines().count();
          lines[1] += text.lines().filter(line -> line.contains(".insn")).count();
        });

    // Else one of the two notations would hardly be tested.
    assertThat(lines[1]).isBetween(lines[0] / 5, lines[0] * 4 / 5);
  }

  private static String assertFixedPoint(BpfProgram program) {
    String text = BpfDisassembler.disassemble(program);
    BpfProgram back = BpfAssemblyText.parse(text);
    if (!back.equals(program)) {
      throw new AssertionError(program.instructions() + " became " + back.instructions());
    }
    return text;
  }
}
