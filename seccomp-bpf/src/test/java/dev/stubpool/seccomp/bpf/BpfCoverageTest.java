package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.testing.Effort;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BpfCoverageTest {

  private static final BpfProgram PROGRAM =
      BpfAssemblyText.parse(
          """
          ld [0]
          jeq #1, l2, l5
          l2: ld [20]
          jeq #0, l4, l5
          l4: ret #0x7fff0000
          l5: jeq #7, l6, l6
          l6: ret #0
          """);

  private static SeccompData call(int nr, long argument) {
    return SeccompData.of(Architecture.X86_64, nr, 0, argument);
  }

  @Test
  void shouldTraceARun() {
    BpfSimulator.Trace trace = new BpfSimulator(PROGRAM).trace(call(1, 1L << 32));

    assertThat(trace.result()).isEqualTo(BpfSimulator.run(PROGRAM, call(1, 1L << 32)));
    assertThat(trace.path()).containsExactly(0, 1, 2, 3, 5, 6);
    assertThat(trace.bytesRead().stream()).containsExactly(0, 1, 2, 3, 20, 21, 22, 23);
  }

  @Test
  void shouldCollectWhatRunsDid() {
    BpfCoverage coverage = new BpfCoverage(PROGRAM);
    assertThat(coverage.neverExecuted()).hasSize(7);
    assertThat(coverage.oneSided()).isEmpty();
    assertThat(coverage.bytesRead().isEmpty()).isTrue();

    coverage.run(call(2, 0));
    coverage.run(call(3, 0));
    assertThat(coverage.neverExecuted()).containsExactly(2, 3, 4);
    assertThat(coverage.oneSided()).containsExactly(1);
    assertThat(coverage.bytesRead().cardinality()).isEqualTo(4);

    BpfSimulator.Result result = coverage.run(call(1, 0));
    assertThat(result.steps()).isEqualTo(5);
    assertThat(coverage.neverExecuted()).isEmpty();
    assertThat(coverage.oneSided()).containsExactly(3);
    assertThat(coverage.executions(1)).isEqualTo(3);
    assertThat(coverage.jumps(1)).isEqualTo(1);
    assertThat(coverage.jumps(0)).isZero();

    coverage.run(call(1, -1));
    assertThat(coverage.oneSided()).isEmpty();
  }

  @Test
  void shouldCountEveryStep() {
    Effort.forEachSeed(
        Effort.cases(500, 50_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          BpfProgram program = RandomPrograms.valid(random, 40);
          BpfCoverage coverage = new BpfCoverage(program);
          long steps = 0;
          for (int i = 0; i < 10; i++) {
            steps += coverage.run(call(random.nextInt(40), random.nextLong())).steps();
          }
          long executions = 0;
          for (int pc = 0; pc < program.length(); pc++) {
            executions += coverage.executions(pc);
            assertThat(coverage.jumps(pc)).isLessThanOrEqualTo(coverage.executions(pc));
          }
          assertThat(executions).isEqualTo(steps);
        });
  }
}
