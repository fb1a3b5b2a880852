package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * {@link BpfSimulator} returns what the kernel of this machine returns.
 *
 * <p>The kernel does not show what a filter returned, only what came of it. So a program is changed
 * to return an errno that shows 12 bits of its value, three times for all 32, and it judges only
 * numbers that no system call has. What is left is the 0 of a division by 0, which kills.
 *
 * <p>Many programs are asked about as one, which chooses among them by the high word of the last
 * argument.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class KernelRunIT {

  /** Numbers from here on are judged; the child's own system calls are all below. */
  private static final int FIRST_JUDGED_NR = 1000;

  private static final int MAX_LENGTH = 40;
  private static final int CALLS = 8;
  private static final int BITS = 12;

  /** How many programs are asked about as one: fewer than fit. */
  private static final int BATCH = 20;

  /** Of so many calls that end their process one is made: each needs a process of its own. */
  private static final int DEATHS = 100;

  private KernelOracle kernel;

  @BeforeAll
  void startOracle() throws Exception {
    kernel = KernelOracle.open();
  }

  @AfterAll
  void stopOracle() throws Exception {
    if (kernel != null) {
      kernel.close();
    }
  }

  /** A program, and the calls that it is to judge. */
  private record Case(BpfProgram program, List<SeccompData> calls) {}

  @Test
  void shouldReturnWhatTheKernelReturns() {
    int[] distinct = {0};
    int cases = Effort.cases(100_000, 500_000);
    List<Case> batch = new ArrayList<>();
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          BpfProgram program = RandomPrograms.valid(random, MAX_LENGTH);
          batch.add(
              new Case(
                  program, IntStream.range(0, CALLS).mapToObj(_ -> randomCall(random)).toList()));
          if (batch.size() == BATCH) {
            distinct[0] += assertAgreement(batch, random);
            batch.clear();
          }
        });
    if (!batch.isEmpty()) {
      distinct[0] += assertAgreement(batch, Effort.random(0));
    }

    // Else most programs would return without a look at the data.
    assertThat(distinct[0]).isGreaterThan(cases * 5 / 4);
  }

  /** Every operation on every pair of values near which something changes. */
  @Test
  void shouldCalculateAsTheKernelDoes() {
    int[] values = {0, 1, 2, 31, 32, 33, 63, 0x7fffffff, 0x80000000, 0x80000001, -2, -1};
    for (int code : RandomPrograms.OPCODES) {
      if ((code & 0x07) != Bpf.ALU && !RandomPrograms.JUMPS.contains(code)) {
        continue;
      }
      for (int k : values) {
        List<SeccompData> calls = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
          calls.add(call(FIRST_JUDGED_NR, values[i], k));
        }
        BpfProgram program = calculation(code, k);
        if (BpfVerifier.verify(program).isEmpty()) {
          assertAgreement(List.of(new Case(program, calls)), Effort.random(k));
        }
      }
    }
  }

  /** A = first argument, X = second argument, and then the instruction. */
  private static BpfProgram calculation(int code, int k) {
    return BpfProgram.of(
        BpfInstruction.of(0x20, SeccompField.ARGUMENT_1.lowOffset()),
        BpfInstruction.of(0x07, 0),
        BpfInstruction.of(0x20, SeccompField.ARGUMENT_0.lowOffset()),
        new BpfInstruction(code, 0, 1, k),
        BpfInstruction.of(0x16, 0),
        BpfInstruction.of(0x06, 0x12345678));
  }

  /** Gives the number of distinct values that the programs returned, each by itself. */
  private int assertAgreement(List<Case> cases, RandomGenerator random) {
    int[] choices = random.ints().distinct().limit(3L * cases.size()).toArray();
    List<BpfProgram> probes = new ArrayList<>();
    for (Case one : cases) {
      for (int shift = 0; shift < Integer.SIZE; shift += BITS) {
        probes.add(showing(one.program(), shift));
      }
    }
    BpfProgram combined = chosen(probes, choices);
    BpfSimulator simulator = new BpfSimulator(combined);

    List<SeccompData> calls = new ArrayList<>();
    List<Long> expected = new ArrayList<>();
    int distinct = 0;
    int probe = 0;
    for (Case one : cases) {
      BpfSimulator original = new BpfSimulator(one.program());
      Set<Integer> values = new HashSet<>();
      for (int shift = 0; shift < Integer.SIZE; shift += BITS) {
        for (SeccompData wanted : one.calls()) {
          SeccompData call = withHighWord(wanted, choices[probe]);
          int value = original.run(call).ret();
          long seen = visible(simulator.run(call).action());
          if (seen != KernelOracle.KILLED) {
            assertThat(seen).isEqualTo(-(value >>> shift & SeccompAction.MAX_ERRNO));
          }
          if (seen != KernelOracle.KILLED || random.nextInt(DEATHS) == 0) {
            calls.add(call);
            expected.add(seen);
          }
          values.add(value);
        }
        probe++;
      }
      distinct += values.size();
    }
    List<Long> results = kernel.call(combined, calls);
    if (!results.equals(expected)) {
      IntStream.range(0, results.size())
          .forEach(
              i ->
                  assertThat(results.get(i))
                      .as("%s of %s", calls.get(i), combined)
                      .isEqualTo(expected.get(i)));
    }
    return distinct;
  }

  private SeccompData withHighWord(SeccompData data, int word) {
    return call(
        data.nr(),
        data.a0(),
        data.a1(),
        data.a2(),
        data.a3(),
        data.a4(),
        (data.a5() & 0xffff_ffffL) | ((long) word << Integer.SIZE));
  }

  private static long visible(SeccompAction action) {
    return switch (action.kind()) {
      case ERRNO -> -action.data();
      case KILL_THREAD -> KernelOracle.KILLED;
      default -> throw new AssertionError("not what a probe returns: " + action);
    };
  }

  private SeccompData randomCall(RandomGenerator random) {
    long[] arguments =
        random
            .ints(SeccompData.ARGUMENTS)
            .mapToLong(high -> ((long) high << 32) ^ RandomPrograms.constant(random))
            .toArray();
    int nr = random.nextBoolean() ? random.nextInt() : random.nextInt(1000, 5000);
    return call(Integer.compareUnsigned(nr, FIRST_JUDGED_NR) < 0 ? FIRST_JUDGED_NR : nr, arguments);
  }

  private SeccompData call(int nr, long... arguments) {
    return SeccompData.of(Architecture.X86_64, nr, kernel.callAddress(), arguments);
  }

  /** One program of many, each of which judges the calls whose last argument has its high word. */
  private static BpfProgram chosen(List<BpfProgram> programs, int[] highWords) {
    List<BpfInstruction> all =
        new ArrayList<>(
            List.of(
                BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, SeccompData.NR_OFFSET),
                new BpfInstruction(Bpf.JMP | Bpf.JGE | Bpf.K, 1, 0, FIRST_JUDGED_NR),
                BpfInstruction.of(Bpf.RET | Bpf.K, SeccompAction.ALLOW.encode()),
                BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, SeccompField.ARGUMENT_5.highOffset())));
    int place = all.size() + 2 * programs.size() + 1;
    for (int i = 0; i < programs.size(); i++) {
      all.add(new BpfInstruction(Bpf.JMP | Bpf.JEQ | Bpf.K, 0, 1, highWords[i]));
      all.add(BpfInstruction.of(Bpf.JMP | Bpf.JA, place - all.size() - 1));
      place += programs.get(i).length();
    }
    all.add(BpfInstruction.of(Bpf.RET | Bpf.K, SeccompAction.KILL_PROCESS.encode()));
    programs.forEach(program -> all.addAll(program.instructions()));
    return new BpfProgram(all);
  }

  /** The program, returning {@value #BITS} bits of its value as errno; with each jump adjusted. */
  private static BpfProgram showing(BpfProgram program, int shift) {
    List<BpfInstruction> show =
        List.of(
            BpfInstruction.of(Bpf.ALU | Bpf.RSH | Bpf.K, shift),
            BpfInstruction.of(Bpf.ALU | Bpf.AND | Bpf.K, SeccompAction.MAX_ERRNO),
            BpfInstruction.of(Bpf.ALU | Bpf.OR | Bpf.K, SeccompAction.errno(0).encode()),
            BpfInstruction.of(Bpf.RET | Bpf.A, 0));
    List<BpfInstruction> old = program.instructions();
    int[] places = new int[old.size() + 1];
    for (int pc = 0; pc < old.size(); pc++) {
      places[pc + 1] =
          places[pc]
              + switch (old.get(pc).code()) {
                case Bpf.RET | Bpf.K -> 1 + show.size();
                case Bpf.RET | Bpf.A -> show.size();
                default -> 1;
              };
    }
    List<BpfInstruction> probe = new ArrayList<>(List.of(BpfInstruction.of(Bpf.LD | Bpf.IMM, 0)));
    for (int pc = 0; pc < old.size(); pc++) {
      BpfInstruction instruction = old.get(pc);
      int next = pc + 1;
      int k = instruction.k();
      switch (instruction.code()) {
        case Bpf.RET | Bpf.K -> {
          probe.add(BpfInstruction.of(Bpf.LD | Bpf.IMM, k));
          probe.addAll(show);
        }
        case Bpf.RET | Bpf.A -> probe.addAll(show);
        case Bpf.JMP | Bpf.JA ->
            probe.add(BpfInstruction.of(Bpf.JMP | Bpf.JA, places[next + k] - places[next]));
        default -> {
          boolean conditional = RandomPrograms.JUMPS.contains(instruction.code());
          probe.add(
              conditional
                  ? new BpfInstruction(
                      instruction.code(),
                      places[next + instruction.jt()] - places[next],
                      places[next + instruction.jf()] - places[next],
                      k)
                  : instruction);
        }
      }
    }
    return new BpfProgram(probe);
  }
}
