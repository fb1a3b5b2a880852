package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Effort;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import java.util.ArrayList;
import java.util.List;
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
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class KernelRunIT {

  /** Numbers from here on are judged; the child's own system calls are all below. */
  private static final int FIRST_JUDGED_NR = 1000;

  private static final int MAX_LENGTH = 40;
  private static final int CALLS = 8;
  private static final int BITS = 12;

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

  @Test
  void shouldReturnWhatTheKernelReturns() {
    int[] distinct = {0};
    int cases = Effort.cases(1_000, 30_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          BpfProgram program = RandomPrograms.valid(random, MAX_LENGTH);
          List<SeccompData> calls =
              IntStream.range(0, CALLS).mapToObj(_ -> randomCall(random)).toList();
          distinct[0] += assertAgreement(program, calls);
        });

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
          assertAgreement(program, calls);
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

  /** Gives the number of distinct values that the program returned. */
  private int assertAgreement(BpfProgram program, List<SeccompData> calls) {
    List<Integer> simulated =
        calls.stream().map(call -> BpfSimulator.run(program, call).ret()).toList();
    for (int shift = 0; shift < Integer.SIZE; shift += BITS) {
      BpfProgram probe = showing(program, shift);
      List<Long> results = kernel.call(probe, calls);
      for (int i = 0; i < calls.size(); i++) {
        SeccompData call = calls.get(i);
        assertThat(results.get(i))
            .as("bits from %d of %s for %s", shift, program, call)
            .isEqualTo(visible(BpfSimulator.run(probe, call).action()));
        if (results.get(i) != KernelOracle.KILLED) {
          assertThat(results.get(i))
              .as("bits from %d of %s for %s", shift, program, call)
              .isEqualTo(-(simulated.get(i) >>> shift & SeccompAction.MAX_ERRNO));
        }
      }
    }
    return (int) simulated.stream().distinct().count();
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
    List<BpfInstruction> probe =
        new ArrayList<>(
            List.of(
                BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, SeccompData.NR_OFFSET),
                new BpfInstruction(Bpf.JMP | Bpf.JGE | Bpf.K, 1, 0, FIRST_JUDGED_NR),
                BpfInstruction.of(Bpf.RET | Bpf.K, SeccompAction.ALLOW.encode()),
                BpfInstruction.of(Bpf.LD | Bpf.IMM, 0)));
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
