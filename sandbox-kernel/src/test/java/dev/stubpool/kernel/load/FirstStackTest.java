package dev.stubpool.kernel.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FirstStackTest {
  private static final long TOP = 0x7fff_ffff_0000L;

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          prog,             ''
          prog a,           ''
          prog a bc,        HOME=/
          prog,             HOME=/ X=y TERM=dumb
          prog a bc déf gh, A= B=c
          """)
  void shouldHoldArgumentsEnvironmentAndVector(String arguments, String environment) {
    List<String> argv = List.of(arguments.split(" ", -1));
    List<String> envp = environment.isEmpty() ? List.of() : List.of(environment.split(" ", -1));
    SequencedMap<Integer, Long> auxv = new LinkedHashMap<>(Map.of(6, 4096L));
    byte[] random = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    FirstStack stack = FirstStack.lay(TOP, argv, envp, "/bin/prog", random, auxv);

    ByteBuffer words = stack.content();
    assertThat(stack.pointer() % 16).isZero();
    assertThat(stack.pointer() + words.capacity()).isEqualTo(TOP);
    assertThat(words.getLong(words.capacity() - 8)).isZero();
    assertThat(words.getLong()).isEqualTo(argv.size());
    for (String argument : argv) {
      assertThat(string(stack, words.getLong())).isEqualTo(argument);
    }
    assertThat(words.getLong()).isZero();
    for (String entry : envp) {
      assertThat(string(stack, words.getLong())).isEqualTo(entry);
    }
    assertThat(words.getLong()).isZero();
    Map<Long, Long> vector = new HashMap<>();
    for (long key = words.getLong(); key != 0; key = words.getLong()) {
      vector.put(key, words.getLong());
    }
    assertThat(vector).containsOnlyKeys(6L, 15L, 25L, 31L).containsEntry(6L, 4096L);
    assertThat(string(stack, vector.get(15L))).isEqualTo("x86_64");
    assertThat(string(stack, vector.get(31L))).isEqualTo("/bin/prog");
    assertThat(string(stack, vector.get(25L))).startsWith("0123456789abcdef");
  }

  private static String string(FirstStack stack, long address) {
    int start = (int) (address - stack.pointer());
    int end = start;
    while (stack.content().get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - start];
    stack.content().get(start, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
