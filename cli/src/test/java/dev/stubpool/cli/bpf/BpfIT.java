package dev.stubpool.cli.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.cli.ChildCommand;
import dev.stubpool.seccomp.bpf.BpfAssemblyText;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Programs through standard input and standard output. */
@Timeout(60)
class BpfIT {

  private static final byte[] RAW = BpfAssemblyText.parse("ld [0] ret a").toBytes();

  private static byte[] run(byte[] input, String... arguments)
      throws IOException, InterruptedException {
    Process process = ChildCommand.start(List.of(), arguments);
    try (OutputStream to = process.getOutputStream()) {
      to.write(input);
    }
    byte[] output = process.getInputStream().readAllBytes();
    assertThat(process.waitFor()).isZero();
    return output;
  }

  @Test
  void shouldWriteRawBytes() throws Exception {
    byte[] text = "ld [0] ret a".getBytes(StandardCharsets.UTF_8);

    assertThat(run(text, "bpf", "asm")).isEqualTo(RAW);
  }

  @Test
  void shouldReadRawBytes() throws Exception {
    assertThat(new String(run(RAW, "bpf", "disasm", "-"), StandardCharsets.UTF_8))
        .isEqualTo(BpfAssemblyText.parse("ld [0] ret a").toString());
    assertThat(new String(run(RAW, "bpf", "sim", "--nr", "7"), StandardCharsets.UTF_8))
        .isEqualTo("{\"action\":\"KILL\",\"ret\":\"0x00000007\",\"steps\":2}%n".formatted());
  }
}
