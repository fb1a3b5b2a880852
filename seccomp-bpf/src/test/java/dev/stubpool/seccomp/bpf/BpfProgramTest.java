package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class BpfProgramTest {

  private static final BpfInstruction ALLOW = BpfInstruction.of(0x06, 0x7fff0000);

  @Test
  void shouldEncodeAsSockFilters() {
    BpfProgram program = BpfProgram.of(new BpfInstruction(0x8015, 1, 255, 0xc000003e), ALLOW);

    assertThat(program.toBytes())
        .containsExactly(0x15, 0x80, 1, 255, 0x3e, 0, 0, 0xc0, 6, 0, 0, 0, 0, 0, 0xff, 0x7f);
  }

  @Test
  void shouldDecodeWhatItEncodes() {
    Effort.forEachSeed(
        Effort.cases(500, 20_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          BpfProgram program =
              new BpfProgram(RandomPrograms.arbitrary(random, random.nextInt(1, 100)));

          BpfProgram decoded = BpfProgram.fromBytes(program.toBytes());

          assertThat(decoded).isEqualTo(program).hasSameHashCodeAs(program);
          assertThat(decoded.toBytes()).isEqualTo(program.toBytes());
        });
  }

  @Test
  void shouldRefuseBytesThatAreNoProgram() {
    assertThatIllegalArgumentException().isThrownBy(() -> BpfProgram.fromBytes(new byte[12]));
    assertThatIllegalArgumentException().isThrownBy(() -> BpfProgram.fromBytes(new byte[0]));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BpfProgram.fromBytes(new byte[4097 * 8]))
        .withMessageContaining("4097");
    assertThat(BpfProgram.fromBytes(new byte[4096 * 8]).length()).isEqualTo(4096);
  }

  @Test
  void shouldCheckItsLength() {
    assertThatIllegalArgumentException().isThrownBy(BpfProgram::of);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BpfProgram(Collections.nCopies(4097, ALLOW)));
    assertThat(new BpfProgram(Collections.nCopies(4096, ALLOW)).length()).isEqualTo(4096);
  }

  @Test
  void shouldNotChangeWithTheListItWasMadeFrom() {
    List<BpfInstruction> list = new ArrayList<>(List.of(ALLOW));
    BpfProgram program = new BpfProgram(list);

    list.clear();

    assertThat(program.instructions()).containsExactly(ALLOW);
    assertThatThrownBy(() -> program.instructions().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void shouldCheckTheRangesOfAnInstruction() {
    assertThat(new BpfInstruction(0xffff, 255, 255, -1).code()).isEqualTo(0xffff);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BpfInstruction(0x10000, 0, 0, 0))
        .withMessage("code must be 0 to 65535: 65536");
    assertThatIllegalArgumentException().isThrownBy(() -> new BpfInstruction(-1, 0, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new BpfInstruction(0, 256, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new BpfInstruction(0, -1, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new BpfInstruction(0, 0, 256, 0));
  }
}
