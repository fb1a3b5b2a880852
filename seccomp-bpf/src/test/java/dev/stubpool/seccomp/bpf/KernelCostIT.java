package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** {@link BpfCost} knows how many filters the kernel of this machine lets a process have. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class KernelCostIT {

  private static final int FIRST_JUDGED_NR = 1000;

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

  /** Each opcode many times in a program, so that a mistake of one shows. */
  @Test
  void shouldKnowHowOftenEachInstructionFits() {
    for (int code : RandomPrograms.OPCODES) {
      for (int k :
          RandomPrograms.JUMPS.contains(code) ? new int[] {4, 0x80000004} : new int[] {4}) {
        for (int targets = 0; targets < (RandomPrograms.JUMPS.contains(code) ? 4 : 1); targets++) {
          List<BpfInstruction> program = new ArrayList<>(List.of(BpfInstruction.of(0x02, 4)));
          for (int i = 0; i < 500; i++) {
            program.add(
                new BpfInstruction(
                    code, targets & 1, targets >> 1, code == (Bpf.JMP | Bpf.JA) ? 0 : k));
          }
          program.add(BpfInstruction.of(0x00, 0));
          program.add(BpfInstruction.of(0x06, 0));
          assertAgreement(judging(program));
        }
      }
    }
  }

  @Test
  void shouldKnowHowOftenRandomProgramsFit() {
    Effort.forEachSeed(
        Effort.cases(30, 1_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          assertAgreement(judging(RandomPrograms.valid(random, 600).instructions()));
        });
  }

  private void assertAgreement(BpfProgram program) {
    assertThat(kernel.stackable(program))
        .as("%s", program)
        .isEqualTo(BpfCost.of(program).stackable());
  }

  /** The program for numbers that no system call has; the others are allowed. */
  private static BpfProgram judging(List<BpfInstruction> program) {
    List<BpfInstruction> all =
        new ArrayList<>(
            List.of(
                BpfInstruction.of(Bpf.LD | Bpf.W | Bpf.ABS, SeccompData.NR_OFFSET),
                new BpfInstruction(Bpf.JMP | Bpf.JGE | Bpf.K, 1, 0, FIRST_JUDGED_NR),
                BpfInstruction.of(Bpf.RET | Bpf.K, SeccompAction.ALLOW.encode())));
    all.addAll(program);
    return new BpfProgram(all);
  }
}
