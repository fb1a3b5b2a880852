package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** {@link BpfVerifier} takes what the kernel of this machine takes, and nothing else. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class KernelVerdictIT {

  private static final int EINVAL = 22;

  /** How many programs the oracle is asked about at once; divides 65,536. */
  private static final int BATCH = 256;

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
  void shouldAgreeOnOpcodes() {
    List<List<BpfInstruction>> programs =
        IntStream.range(0, 0x10000).mapToObj(BpfVerifierTest::programWith).toList();
    for (int i = 0; i < programs.size(); i += BATCH) {
      assertAgreement(programs.subList(i, i + BATCH));
    }
  }

  @Test
  void shouldAgreeOnLengths() {
    for (int length : new int[] {0, 1, 2, 4095, 4096, 4097, 65535}) {
      assertAgreement(List.of(Collections.nCopies(length, BpfVerifierTest.ALLOW)));
    }
  }

  @Test
  void shouldAgreeOnRandomPrograms() {
    int[] accepted = {0};
    int cases = Effort.cases(100_000, 5_000_000);
    List<List<BpfInstruction>> batch = new ArrayList<>();
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          int length = random.nextInt(1, random.nextInt(20) == 0 ? 300 : 24);
          batch.add(
              switch (random.nextInt(8)) {
                case 0 -> RandomPrograms.arbitrary(random, length);
                case 1, 2, 3 -> RandomPrograms.nearlyLegal(random, length);
                default -> RandomPrograms.legalParts(random, length);
              });
          if (batch.size() == BATCH) {
            accepted[0] += assertAgreement(batch);
            batch.clear();
          }
        });
    accepted[0] += assertAgreement(batch);

    // Else the programs would prove little.
    assertThat(accepted[0]).isBetween(cases / 5, cases * 4 / 5);
  }

  /**
   * The oracle does not install what it asks about; that this is no other question is shown here.
   */
  @Test
  void shouldAgreeWithInstallation() {
    Effort.forEachSeed(
        Effort.cases(300, 10_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          List<BpfInstruction> program =
              random.nextBoolean()
                  ? RandomPrograms.nearlyLegal(random, 10)
                  : RandomPrograms.legalParts(random, 10);
          int error =
              kernel.errnoOfInstallation(program, SeccompData.of(Architecture.X86_64, 39, 0));
          assertThat(error).isEqualTo(kernel.errnos(List.of(program)).getFirst());
        });
  }

  /** Gives how many of the programs the kernel takes. */
  private int assertAgreement(List<List<BpfInstruction>> programs) {
    List<Integer> errors = kernel.errnos(programs);
    int accepted = 0;
    for (int i = 0; i < programs.size(); i++) {
      List<BpfInstruction> program = programs.get(i);
      int error = errors.get(i);
      int expected = BpfVerifier.verify(program).isEmpty() ? 0 : EINVAL;
      if (error != expected) {
        throw new AssertionError(
            "The kernel says errno %d, the verifier %s:%n%s"
                .formatted(
                    error,
                    BpfVerifier.verify(program),
                    program.size() <= Bpf.MAXINSNS && !program.isEmpty()
                        ? new BpfProgram(program)
                        : program.size() + " instructions"));
      }
      accepted += error == 0 ? 1 : 0;
    }
    return accepted;
  }
}
