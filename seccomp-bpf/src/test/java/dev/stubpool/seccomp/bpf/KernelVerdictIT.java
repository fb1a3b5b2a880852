package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Effort;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** {@link BpfVerifier} takes what the kernel of this machine takes, and nothing else. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class KernelVerdictIT {

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
    int last = Effort.cases(0x100, 0x10000);
    for (int code = 0; code < last; code++) {
      assertAgreement(BpfVerifierTest.programWith(code));
    }
  }

  @Test
  void shouldAgreeOnTheTables() {
    BpfVerifierTest.REFUSED.forEach(
        arguments -> {
          @SuppressWarnings("unchecked")
          List<BpfInstruction> program = (List<BpfInstruction>) arguments.get()[2];
          assertAgreement(program);
        });
    BpfVerifierTest.TAKEN.forEach(this::assertAgreement);
  }

  @Test
  void shouldAgreeOnLengths() {
    for (int length : new int[] {0, 1, 2, 4095, 4096, 4097, 65535}) {
      assertAgreement(Collections.nCopies(length, BpfVerifierTest.ALLOW));
    }
  }

  @Test
  void shouldAgreeOnRandomPrograms() {
    int[] accepted = {0};
    int cases = Effort.cases(3_000, 100_000);
    Effort.forEachSeed(
        cases,
        seed -> {
          RandomGenerator random = Effort.random(seed);
          int length = random.nextInt(1, random.nextInt(20) == 0 ? 300 : 24);
          List<BpfInstruction> program =
              switch (random.nextInt(8)) {
                case 0 -> RandomPrograms.arbitrary(random, length);
                case 1, 2, 3 -> RandomPrograms.nearlyLegal(random, length);
                default -> RandomPrograms.legalParts(random, length);
              };
          if (assertAgreement(program)) {
            accepted[0]++;
          }
        });

    // Else the programs would prove little.
    assertThat(accepted[0]).isBetween(cases / 5, cases * 4 / 5);
  }

  private boolean assertAgreement(List<BpfInstruction> program) {
    boolean accepted = kernel.accepts(program);
    if (BpfVerifier.verify(program).isEmpty() != accepted) {
      throw new AssertionError(
          "The kernel %s this, the verifier says %s:%n%s"
              .formatted(
                  accepted ? "takes" : "refuses",
                  BpfVerifier.verify(program),
                  program.size() <= Bpf.MAXINSNS && !program.isEmpty()
                      ? new BpfProgram(program)
                      : program.size() + " instructions"));
    }
    return accepted;
  }
}
