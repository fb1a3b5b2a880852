package dev.stubpool.seccomp.proof;

import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfAssembler;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import dev.stubpool.seccomp.bpf.RandomPrograms;
import dev.stubpool.seccomp.compiler.RandomPolicies;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.seccomp.proof.BpfEquivalence.Differs;
import dev.stubpool.seccomp.proof.BpfEquivalence.Equal;
import dev.stubpool.seccomp.proof.BpfEquivalence.Result;
import dev.stubpool.seccomp.proof.BpfEquivalence.Sameness;
import dev.stubpool.seccomp.proof.BpfEquivalence.Undecided;
import dev.stubpool.testing.Effort;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BpfEquivalenceTest {

  /** Enough for every program here that can be decided at all. */
  private static final int MAX_NODES = 30_000;

  private static BpfProgram returning(int value) {
    return new BpfAssembler().ret(value).assemble();
  }

  private static Result compareValues(BpfProgram first, BpfProgram second) {
    return BpfEquivalence.compare(first, second, Sameness.VALUE, MAX_NODES);
  }

  @Test
  void shouldCompareWhatTheKernelMakesOfAnswers() {
    assertThat(BpfEquivalence.compare(returning(0x7fff0000), returning(0x7fff0001)))
        .isEqualTo(new Equal());
    assertThat(BpfEquivalence.compare(returning(0x00051000), returning(0x0005ffff)))
        .isEqualTo(new Equal());
    assertThat(BpfEquivalence.compare(returning(0x12340000), returning(0x80000000)))
        .isEqualTo(new Equal());
    assertThat(BpfEquivalence.compare(returning(0x00050fff), returning(0x00050ffe)))
        .isInstanceOf(Differs.class);
    assertThat(BpfEquivalence.compare(returning(0x00031000), returning(0x0003ffff)))
        .isInstanceOf(Differs.class);
  }

  @Test
  void shouldCompareValuesIfAsked() {
    assertThat(compareValues(returning(0x7fff0000), returning(0x7fff0001)))
        .isInstanceOf(Differs.class);
    assertThat(compareValues(returning(0x7fff0001), returning(0x7fff0001))).isEqualTo(new Equal());
  }

  /** All values at once: the program returns an argument, the other one what that comes to. */
  @Test
  void shouldDecodeComputedAnswers() {
    BpfProgram any = new BpfAssembler().ldAbs(16).retA().assemble();
    BpfAssembler assembler = new BpfAssembler();
    Label errno = assembler.label("errno");
    Label large = assembler.label("large");
    BpfProgram limited =
        assembler
            .ldAbs(16)
            .tax()
            .alu(Bpf.AND, 0xffff0000)
            .jump(Bpf.JEQ, 0x50000, errno, BpfAssembler.NEXT)
            .txa()
            .retA()
            .bind(errno)
            .txa()
            .jump(Bpf.JGT, 0x50fff, large, BpfAssembler.NEXT)
            .retA()
            .bind(large)
            .ret(SeccompAction.errno(4095))
            .assemble();

    assertThat(BpfEquivalence.compare(any, limited)).isEqualTo(new Equal());
    assertThat(compareValues(any, limited))
        .isInstanceOfSatisfying(
            Differs.class, differs -> assertThat(differs.second().ret()).isEqualTo(0x50fff));
  }

  @Test
  void shouldFindAReadableInput() {
    BpfProgram first = filter(argument(0).equalTo(3));
    BpfProgram second = filter(argument(0).low32().equalTo(3));
    SeccompData input = SeccompData.of(Architecture.X86_64, 3, 0, 0x1_0000_0003L);

    assertThat(BpfEquivalence.compare(first, second))
        .isEqualTo(
            new Differs(input, BpfSimulator.run(first, input), BpfSimulator.run(second, input)));
  }

  private static BpfProgram filter(dev.stubpool.seccomp.Condition condition) {
    return SeccompCompiler.compile(
        SeccompPolicy.builder(Architecture.X86_64).allow("close", condition).build());
  }

  @Test
  void shouldSayThatItCannotDecide() {
    BpfAssembler product = new BpfAssembler().ldAbs(16).tax().ldAbs(24).aluX(Bpf.MUL).retA();

    assertThat(compareValues(product.assemble(), returning(0)))
        .isInstanceOfSatisfying(
            Undecided.class,
            undecided -> assertThat(undecided.reason()).contains("instruction 3", "more than"));
  }

  @Test
  void shouldRefuseWhatTheKernelRefuses() {
    BpfProgram invalid = new BpfAssembler().ldImm(1).assemble();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> BpfEquivalence.compare(returning(0), invalid))
        .withMessageContaining("not a return");
  }

  /** Code that changes nothing: unused work, jumps to the next instruction, other constants. */
  @Test
  void shouldNotMindHarmlessChanges() {
    int[] decided = {0};
    int cases = Effort.cases(500, 5_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          BpfProgram program = RandomPrograms.valid(random, random.nextInt(2, 25));
          Result result = compareValues(program, padded(program, random));
          assertThat(result).as("%s", program).isNotInstanceOf(Differs.class);
          decided[0] += result instanceof Equal ? 1 : 0;
        });

    assertThat(decided[0]).isGreaterThan(cases * 8 / 10);
  }

  /** Puts an instruction in front that nothing depends on, and dead code behind. */
  private static BpfProgram padded(BpfProgram program, RandomGenerator random) {
    List<BpfInstruction> padded = new ArrayList<>();
    padded.add(BpfInstruction.of(Bpf.JMP | Bpf.JA, 0));
    padded.add(BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, 4 * random.nextInt(16)));
    padded.add(BpfInstruction.of(Bpf.ALU | Bpf.AND | Bpf.K, 0));
    padded.addAll(program.instructions());
    padded.add(BpfInstruction.of(Bpf.LD | Bpf.IMM, random.nextInt()));
    padded.add(BpfInstruction.of(Bpf.RET | Bpf.A, 0));
    return new BpfProgram(padded);
  }

  /** One instruction is another one: both answers occur, and none is contradicted by samples. */
  @Test
  void shouldAgreeWithSamplesOnMutants() {
    int[] counts = {0, 0, 0};
    int cases = Effort.cases(600, 5_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          RandomPolicies policies = new RandomPolicies(random);
          boolean compiled = random.nextInt(4) == 0;
          BpfProgram program =
              compiled
                  ? SeccompCompiler.compile(policies.policy())
                  : RandomPrograms.valid(random, random.nextInt(2, 20));
          BpfProgram mutant = mutant(program, random);
          Optional<SeccompData> sample = sampleDifference(program, mutant, policies);
          switch (compareValues(program, mutant)) {
            case Equal() -> {
              counts[0]++;
              assertThat(sample).isEmpty();
            }
            case Differs(SeccompData input, BpfSimulator.Result a, BpfSimulator.Result b) -> {
              counts[1]++;
              assertThat(BpfSimulator.run(program, input)).isEqualTo(a);
              assertThat(BpfSimulator.run(mutant, input)).isEqualTo(b);
              assertThat(a.ret()).isNotEqualTo(b.ret());
            }
            case Undecided _ -> counts[2]++;
          }
        });

    assertThat(counts[0]).isGreaterThan(cases / 10);
    assertThat(counts[1]).isGreaterThan(cases / 10);
    assertThat(counts[2]).isLessThan(cases / 5);
  }

  private static BpfProgram mutant(BpfProgram program, RandomGenerator random) {
    while (true) {
      List<BpfInstruction> instructions = new ArrayList<>(program.instructions());
      int pc = random.nextInt(instructions.size());
      BpfInstruction old = instructions.get(pc);
      instructions.set(
          pc,
          switch (random.nextInt(4)) {
            case 0 -> new BpfInstruction(old.code(), old.jf(), old.jt(), old.k());
            case 1 -> new BpfInstruction(old.code(), old.jt(), old.jf(), old.k() ^ 4);
            case 2 -> new BpfInstruction(old.code() ^ 0x10, old.jt(), old.jf(), old.k());
            default -> new BpfInstruction(old.code() ^ 0x20, old.jt(), old.jf(), old.k());
          });
      if (BpfVerifier.verify(instructions).isEmpty()) {
        return new BpfProgram(instructions);
      }
    }
  }

  private static Optional<SeccompData> sampleDifference(
      BpfProgram first, BpfProgram second, RandomPolicies policies) {
    BpfSimulator ofFirst = new BpfSimulator(first);
    BpfSimulator ofSecond = new BpfSimulator(second);
    for (int i = 0; i < 200; i++) {
      SeccompData data = policies.data();
      if (ofFirst.run(data).ret() != ofSecond.run(data).ret()) {
        return Optional.of(data);
      }
    }
    return Optional.empty();
  }

  /** 64-bit sums and products with small constants, although they mix two arguments. */
  @Test
  void shouldDecideAddition() {
    BpfProgram oneWay =
        new BpfAssembler().ldAbs(16).tax().ldAbs(24).aluX(Bpf.ADD).aluX(Bpf.ADD).retA().assemble();
    BpfProgram otherWay =
        new BpfAssembler()
            .ldAbs(16)
            .alu(Bpf.MUL, 2)
            .tax()
            .ldAbs(24)
            .aluX(Bpf.ADD)
            .retA()
            .assemble();

    assertThat(compareValues(oneWay, otherWay)).isEqualTo(new Equal());
  }

  /** A diagram of them would have 2^32 nodes if one word followed the other. */
  @Test
  void shouldDecideComparisonOfArguments() {
    BpfAssembler assembler = new BpfAssembler().ldAbs(40).tax().ldAbs(16);
    Label equal = assembler.label("equal");
    BpfProgram oneWay =
        assembler
            .jumpX(Bpf.JEQ, equal, BpfAssembler.NEXT)
            .ret(SeccompAction.TRAP)
            .bind(equal)
            .ret(SeccompAction.ALLOW)
            .assemble();
    BpfAssembler other = new BpfAssembler().ldAbs(16).tax().ldAbs(40).aluX(Bpf.XOR);
    Label zero = other.label("zero");
    BpfProgram otherWay =
        other
            .jump(Bpf.JEQ, 0, zero, BpfAssembler.NEXT)
            .ret(SeccompAction.TRAP)
            .bind(zero)
            .ret(SeccompAction.ALLOW)
            .assemble();

    assertThat(compareValues(oneWay, otherWay)).isEqualTo(new Equal());
    assertThat(compareValues(oneWay, oneWay)).isEqualTo(new Equal());
  }

  @Test
  void shouldCompareLongPoliciesInSeconds() {
    BpfProgram program = SeccompCompiler.compile(longPolicy(1_000));
    long start = System.nanoTime();
    Result equal = BpfEquivalence.compare(program, program);
    Result other = BpfEquivalence.compare(program, SeccompCompiler.compile(longPolicy(999)));
    Duration took = Duration.ofNanos(System.nanoTime() - start);

    assertThat(equal).isEqualTo(new Equal());
    assertThat(other)
        .isInstanceOfSatisfying(
            Differs.class,
            differs ->
                assertThat(differs.input())
                    .isEqualTo(SeccompData.of(Architecture.X86_64, 333, 0, 999, 0, 0)));
    assertThat(took).isLessThan(Duration.ofSeconds(20));
  }

  /** Three rules for each number. */
  private static SeccompPolicy longPolicy(int rules) {
    SeccompPolicy.Builder policy = SeccompPolicy.builder(Architecture.X86_64);
    for (int i = 0; i < rules; i++) {
      policy.rule(i / 3, SeccompAction.errno(1 + i % 7), argument(i % 3).low32().equalTo(i));
    }
    return policy.build();
  }
}
