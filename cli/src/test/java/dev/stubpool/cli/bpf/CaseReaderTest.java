package dev.stubpool.cli.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.testing.Effort;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class CaseReaderTest {

  private static final int CASES = Effort.cases(10_000, 1_000_000);

  private static final String[] PIECES = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"arch\":",
    "\"nr\":",
    "\"args\":",
    "\"ip\":",
    "\"x86_64\"",
    "\"vax\"",
    "1",
    "-1",
    "\"0xffffffffffffffff\"",
    "\"0x\"",
    "1e999999999",
    "0.5",
    "null",
    "true",
    "99999999999999999999999",
    "\\u0000",
    "\\ud800",
    "\u00e9",
    "\0",
    " ",
    "{\"a\":",
    "[[[[[["
  };

  @Test
  void shouldReadACase() {
    assertThat(
            CaseReader.read(
                """
                {"arch":"aarch64","nr":"openat","args":["0xffffffffffffffff",-1,"7"],"ip":4096}\
                """))
        .isEqualTo(SeccompData.of(Architecture.AARCH64, 56, 4096, -1, -1, 7));
  }

  /** A case, or an error in one line; nothing else whatever is read. */
  @Test
  void shouldReadAnyLineOrSayWhatIsWrong() {
    int[] outcomes = {0, 0};
    Effort.forEachSeed(
        CASES,
        seed -> {
          String line = line(Effort.random(seed));
          try {
            CaseReader.read(line);
            outcomes[0]++;
          } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).as("%s", line).isNotBlank().doesNotContain("\n");
            outcomes[1]++;
          } catch (RuntimeException | StackOverflowError e) {
            throw new AssertionError("not refused as it should be: " + line, e);
          }
        });

    // Else one of the two would hardly be tested.
    assertThat(outcomes[0]).isGreaterThan(CASES / 50);
    assertThat(outcomes[1]).isGreaterThan(CASES / 4);
  }

  private static String line(RandomGenerator random) {
    StringBuilder line = new StringBuilder();
    if (random.nextBoolean()) {
      for (int i = random.nextInt(1, 12); i > 0; i--) {
        line.append(PIECES[random.nextInt(PIECES.length)]);
      }
      return line.toString();
    }
    line.append(
        "{\"arch\":\"x86\",\"nr\":%d,\"args\":[\"0x%x\",1],\"ip\":\"7\"}"
            .formatted(random.nextInt(), random.nextLong()));
    for (int i = random.nextInt(4); i > 0; i--) {
      int place = random.nextInt(line.length());
      switch (random.nextInt(3)) {
        case 0 -> line.deleteCharAt(place);
        case 1 -> line.insert(place, PIECES[random.nextInt(PIECES.length)]);
        default -> line.setCharAt(place, (char) random.nextInt(1, 0x80));
      }
    }
    return line.toString();
  }
}
