package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.testing.Effort;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** That the length is the kernel's is shown by {@link KernelCostIT}. */
class BpfCostTest {

  private static BpfProgram program(String text) {
    return BpfAssemblyText.parse(text);
  }

  private static BitSet numbers(int... numbers) {
    BitSet result = new BitSet();
    for (int nr : numbers) {
      result.set(nr);
    }
    return result;
  }

  /** Prologue 3 and last return 2, so 5, and what the instruction itself adds. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ld [0]                    | 1
          ld len                    | 1
          st M[0]                   | 1
          tax                       | 1
          neg                       | 1
          add x                     | 1
          div #5                    | 1
          div x                     | 5
          ret a                     | 1
          ret #5                    | 2
          jmp l1                    | 1
          jeq #1, l1, l1            | 1
          jeq #1, l2, l1            | 1
          jeq #1, l1, l2            | 1
          jeq #1, l2, l2            | 2
          jgt #1, l1, l2            | 1
          jge #1, l1, l2            | 1
          jset #1, l2, l1           | 1
          jset #1, l1, l2           | 2
          jset x, l1, l2            | 2
          jge x, l1, l2             | 1
          jgt x, l2, l2             | 2
          jeq #0x7fffffff, l1, l2   | 1
          jeq #0x80000000, l1, l2   | 2
          jset #0xffffffff, l2, l2  | 3
          """)
  void shouldKnowTheTranslatedLength(String instruction, int length) {
    // Behind it an instruction of length 1, for jumps to skip.
    BpfProgram program = program(instruction + " l1: ld #0 l2: ret #0");

    assertThat(BpfCost.of(program).ebpfLength()).isEqualTo(3 + length + 1 + 2);
  }

  @Test
  void shouldKnowHowManyFitIntoTheBudget() {
    assertThat(BpfCost.of(program("ret #0"))).isEqualTo(new BpfCost(1, 5, 3641, 1, 1));
    BpfCost longest = BpfCost.of(new BpfProgram(Collections.nCopies(4096, BpfVerifierTest.ALLOW)));
    assertThat(longest).isEqualTo(new BpfCost(4096, 3 + 2 * 4096, 3, 1, 1));
    // Eight times 4096 is the budget, but all but one cost four more.
    assertThat(BpfCost.of(program("ld [0]\n".repeat(4091) + "ret #0")).stackable()).isEqualTo(7);
    assertThat(BpfCost.of(program("ld [0]\n".repeat(4087) + "ret #0")).stackable()).isEqualTo(8);
  }

  @Test
  void shouldKnowTheShortestAndTheLongestWay() {
    BpfCost cost =
        BpfCost.of(
            program(
                """
                ld [0] jeq #1, good
                ld [16] jeq #2, good jmp bad
                bad: ld [20] ret a
                good: ret #0x7fff0000
                """));

    assertThat(cost.minSteps()).isEqualTo(3);
    assertThat(cost.maxSteps()).isEqualTo(7);
    assertThat(BpfCost.of(program("ld [0] div x ld [0] ret a")).minSteps()).isEqualTo(2);
  }

  @Test
  void shouldBoundTheStepsOfEveryRun() {
    Effort.forEachSeed(
        Effort.cases(1_000, 100_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          BpfProgram program = RandomPrograms.valid(random, 30);
          BpfCost cost = BpfCost.of(program);
          for (int i = 0; i < 10; i++) {
            assertThat(
                    BpfSimulator.run(
                            program,
                            SeccompData.of(
                                Architecture.X86_64,
                                random.nextInt(500),
                                0,
                                RandomPrograms.constant(random)))
                        .steps())
                .isBetween(cost.minSteps(), cost.maxSteps());
          }
        });
  }

  @Test
  void shouldKnowWhatTheKernelAllowsWithoutRunningTheProgram() {
    BpfProgram program =
        program(
            """
            ld [4] jne #0xc000003e, bad
            ld [0]
            jeq #1, good
            jgt #300, high
            jge #100, hundreds
            jset #0x40, good
            jeq #2, argument
            jeq #3, bad
            jeq #4, index
            jeq #5, logged
            jeq #6, strange
            and #0xf jeq #7, good, bad
            hundreds: jlt #102, good jmp bad
            high: jmp bad
            argument: ld [16] ret #0x7fff0000
            index: tax ret #0x7fff0000
            logged: ret #0x7ffc0000
            strange: ret #0x7fff0001
            bad: ret #0
            good: ret #0x7fff0000
            """);
    BitSet expected = numbers(1, 7, 23, 39, 55, 100, 101);
    expected.set(0x40, 0x60);
    expected.set(0x60, 100);

    assertThat(BpfCost.alwaysAllowed(program, Architecture.X86_64)).isEqualTo(expected);
    assertThat(BpfCost.alwaysAllowed(program, Architecture.X86_64, 8)).isEqualTo(numbers(1, 7));
    assertThat(BpfCost.alwaysAllowed(program, Architecture.I386).isEmpty()).isTrue();
    assertThat(BpfCost.alwaysAllowed(program, Architecture.X32).isEmpty()).isTrue();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BpfCost.alwaysAllowed(program, Architecture.X86_64, -1))
        .withMessage("limit must not be negative: -1");
  }

  /** Each of these, on the way, makes the kernel give up; the others do not. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ld [0]                | true
          ld [4]                | true
          and #0                | true
          jmp l1                | true
          jset #1, l1, l1       | true
          jge #1, l1, l1        | true
          ld [8]                | false
          ld [60]               | false
          ld #0                 | false
          ld len                | false
          ldx #0                | false
          tax                   | false
          txa                   | false
          st M[0]               | false
          or #0                 | false
          add #0                | false
          and x                 | false
          neg                   | false
          jeq x, l1, l1         | false
          """)
  void shouldKnowWhatTheKernelCanFollow(String instruction, boolean isFollowed) {
    BpfProgram program = program(instruction + " l1: ret #0x7fff0000");

    assertThat(BpfCost.alwaysAllowed(program, Architecture.AARCH64, 10).cardinality())
        .isEqualTo(isFollowed ? 10 : 0);
    assertThat(BpfCost.alwaysAllowed(program("ret a"), Architecture.AARCH64, 10).isEmpty())
        .isTrue();
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"X32", "MIPSEL", "MIPSEL64", "MIPSEL64N32"})
  void shouldLookAtTheNumbersThatTheTableHas(Architecture architecture) {
    BitSet all = BpfCost.alwaysAllowed(program("ret #0x7fff0000"), architecture);

    assertThat(all.cardinality()).isEqualTo(472).isEqualTo(all.length());
  }

  /** Whatever is in the bitmap is allowed by the program, with any arguments. */
  @Test
  void shouldAgreeWithTheSimulator() {
    int[] found = {0};
    Effort.forEachSeed(
        Effort.cases(3_000, 300_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          int allowed = 0x7fff0000;
          List<BpfInstruction> instructions =
              RandomPrograms.valid(random, 12).instructions().stream()
                  .map(i -> i.code() == 0x06 ? BpfInstruction.of(0x06, allowed) : i)
                  .collect(Collectors.toList());
          BpfProgram program = new BpfProgram(instructions);
          BitSet numbers = BpfCost.alwaysAllowed(program, Architecture.X86_64, 100);
          found[0] += numbers.cardinality();
          BpfSimulator simulator = new BpfSimulator(program);
          numbers.stream()
              .forEach(
                  nr ->
                      assertThat(
                              simulator
                                  .run(
                                      SeccompData.of(
                                          Architecture.X86_64, nr, random.nextLong(), nr, -1))
                                  .ret())
                          .isEqualTo(allowed));
        });

    assertThat(found[0]).isPositive();
  }

  @Test
  void shouldRefuseWhatTheKernelRefuses() {
    BpfProgram program = program("ld [0]");

    assertThatIllegalArgumentException().isThrownBy(() -> BpfCost.of(program));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BpfCost.alwaysAllowed(program, Architecture.X86_64));
  }
}
