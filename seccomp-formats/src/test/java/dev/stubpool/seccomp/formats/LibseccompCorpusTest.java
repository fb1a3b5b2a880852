package dev.stubpool.seccomp.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Expected verdicts of libseccomp's filters, from a folder that the environment variable
 * STUBPOOL_SECCOMP_CORPUS names.
 */
final class LibseccompCorpusTest {

  /** A definition, ready to be asked. */
  private record Filter(SeccompPolicy policy, Map<String, BpfSimulator> programs) {
    static Filter of(SeccompPolicy policy) {
      Map<String, BpfSimulator> programs = new HashMap<>();
      Programs.ofEveryMode(policy)
          .forEach((mode, program) -> programs.put(mode, new BpfSimulator(program)));
      return new Filter(policy, programs);
    }
  }

  @Test
  void everyCaseHasTheExpectedVerdict() throws IOException {
    String folder = System.getenv("STUBPOOL_SECCOMP_CORPUS");
    assumeTrue(
        folder != null && Files.isRegularFile(Path.of(folder, "cases.jsonl")),
        "STUBPOOL_SECCOMP_CORPUS names no folder with cases.jsonl");
    Corpus corpus = new Corpus(Path.of(folder));
    Map<String, Filter> filters = new HashMap<>();
    List<String> failures = new ArrayList<>();
    int asked = 0;
    int skipped = 0;
    for (Corpus.Case c : corpus.cases()) {
      if (c.data().isEmpty() || corpus.filter(c.definition()).architectures().isEmpty()) {
        skipped++;
        continue;
      }
      SeccompData data = c.data().get();
      Filter filter =
          filters.computeIfAbsent(c.definition(), name -> Filter.of(corpus.filter(name).policy()));
      if (!filter.policy().evaluate(data).equals(c.action())) {
        failures.add(c + ": the policy says " + filter.policy().evaluate(data));
      }
      filter
          .programs()
          .forEach(
              (mode, program) -> {
                if (!program.run(data).action().equals(c.action())) {
                  failures.add(c + ": " + mode + " says " + program.run(data).action());
                }
              });
      asked++;
    }
    System.out.printf(
        "[corpus] %d definitions, %d cases, %d cases of other architectures skipped%n",
        filters.size(), asked, skipped);
    assertThat(failures).isEmpty();
    assertThat(asked).isPositive();
  }
}
