package dev.stubpool.seccomp.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import dev.stubpool.testing.Effort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules mean what the libseccomp of this machine makes of them. */
final class LibseccompIT {
  private static LibseccompOracle libseccomp;

  /** The calls that all of some architectures have, and the library, too. */
  private static final Map<List<Architecture>, List<String>> NAMES = new HashMap<>();

  private static List<String> names(List<Architecture> architectures) {
    return SystemCallTable.of(Architecture.X86_64).names().stream()
        .filter(name -> architectures.stream().allMatch(other -> knows(other, name)))
        .toList();
  }

  private static boolean knows(Architecture architecture, String name) {
    OptionalInt nr = SystemCallTable.of(architecture).find(name);
    return nr.isPresent() && libseccomp.knows(architecture, name, nr.getAsInt());
  }

  @BeforeAll
  static void open() throws IOException, InterruptedException {
    libseccomp = LibseccompOracle.open();
  }

  @AfterAll
  static void close() throws IOException {
    if (libseccomp != null) {
      libseccomp.close();
    }
  }

  /** Calls that were let through and others: a comparison that sees one kind only is none. */
  private static final class Tally {
    private long allowed;
    private long denied;
    private long refused;

    void count(SeccompAction action) {
      if (action.equals(SeccompAction.ALLOW)) {
        allowed++;
      } else {
        denied++;
      }
    }

    void report(String what) {
      System.out.printf(
          "[libseccomp] %s: %d calls allowed by both, %d denied by both, %d rules refused by"
              + " both%n",
          what, allowed, denied, refused);
      assertThat(allowed).isPositive();
      assertThat(denied).isPositive();
    }
  }

  @Test
  void randomRulesOfAFewCallsMeanTheSame() {
    Tally tally = new Tally();
    Effort.forEachSeed(
        Effort.cases(150, 2_000), seed -> compare(Effort.random(seed), 1, 12, 4, tally));
    tally.report("few calls");
    assertThat(tally.refused).isPositive();
  }

  @Test
  void randomRulesOfManyCallsMeanTheSame() {
    Tally tally = new Tally();
    Effort.forEachSeed(
        Effort.cases(15, 300), seed -> compare(Effort.random(seed), 20, 200, 500, tally));
    tally.report("many calls");
  }

  @Test
  void aThousandRandomRulesMeanTheSame() {
    Tally tally = new Tally();
    Effort.forEachSeed(
        Effort.cases(2, 60), seed -> compare(Effort.random(seed), 1000, 1000, 500, tally));
    tally.report("a thousand rules");
  }

  private static void compare(
      RandomGenerator random, int minRules, int maxRules, int spread, Tally tally) {
    List<Architecture> architectures = new ArrayList<>(List.of(Architecture.X86_64));
    for (Architecture other : List.of(Architecture.I386, Architecture.X32)) {
      if (maxRules <= 200 && random.nextBoolean()) {
        architectures.add(other);
      }
    }
    RandomRules rules =
        new RandomRules(
            random,
            NAMES.computeIfAbsent(architectures, LibseccompIT::names),
            maxRules > 200 ? 3 : 8);
    SeccompAction defaultAction = rules.action();
    LibseccompFilter filter = new LibseccompFilter(Architecture.X86_64, defaultAction);
    libseccomp.init(defaultAction);
    for (Architecture other : architectures.subList(1, architectures.size())) {
      filter.addArchitecture(other);
      libseccomp.addArchitecture(other);
    }
    int count = random.nextInt(minRules, maxRules + 1);
    List<RandomRules.Rule> added = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      RandomRules.Rule rule = rules.next(spread);
      LibseccompOracle.Answer answer =
          libseccomp.add(rule.call(), rule.action(), rule.comparisons());
      if (answer == LibseccompOracle.Answer.UNKNOWN_CALL) {
        continue; // newer than the library
      }
      boolean refused = false;
      try {
        filter.add(rule.call(), rule.action(), rule.comparisons(), false);
      } catch (RefusedException e) {
        refused = true;
        tally.refused++;
      }
      assertThat(refused)
          .as("%s after %s", rule, added)
          .isEqualTo(answer == LibseccompOracle.Answer.REFUSED);
      added.add(rule);
    }
    SeccompPolicy policy = filter.policy();
    List<SeccompData> calls = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      calls.add(rules.call(Effort.oneOf(random, architectures)));
    }
    compare(policy, calls, tally, call -> rulesFor(call, added));
  }

  private static Object rulesFor(SeccompData call, List<RandomRules.Rule> rules) {
    SystemCallTable table =
        SystemCallTable.of(Architecture.of(call.arch(), call.nr()).orElseThrow());
    return rules.stream()
        .filter(rule -> table.number(rule.call()) == call.nr())
        .map(Object::toString)
        .collect(Collectors.joining(System.lineSeparator()));
  }

  private static void compare(
      SeccompPolicy policy,
      List<SeccompData> calls,
      Tally tally,
      Function<SeccompData, Object> rules) {
    BpfSimulator linear = new BpfSimulator(libseccomp.export(1));
    BpfSimulator tree = new BpfSimulator(libseccomp.export(2));
    Map<String, BpfProgram> programs = Programs.ofEveryMode(policy);
    for (Map.Entry<String, BpfProgram> program : programs.entrySet()) {
      BpfVerifier.requireValid(program.getValue());
      BpfSimulator own = new BpfSimulator(program.getValue());
      for (SeccompData call : calls) {
        SeccompAction expected = linear.run(call).action();
        assertThat(policy.evaluate(call))
            .as("%s under %s", call, rules.apply(call))
            .isEqualTo(expected);
        assertThat(own.run(call).action())
            .as("%s, %s under %s", program.getKey(), call, rules.apply(call))
            .isEqualTo(expected);
        assertThat(tree.run(call).action()).as("libseccomp's tree, %s", call).isEqualTo(expected);
        tally.count(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "CAP_SYS_ADMIN",
        "CAP_SYS_ADMIN,CAP_SYS_PTRACE,CAP_SYS_NICE,CAP_BPF,CAP_PERFMON,CAP_SYSLOG",
        "CAP_SYS_CHROOT,CAP_DAC_READ_SEARCH,CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO"
      })
  void dockersDefaultProfileMeansTheSame(String capabilities) throws IOException {
    String folder = System.getenv("STUBPOOL_OCI_CORPUS");
    assumeTrue(
        folder != null && Files.isRegularFile(Path.of(folder, "docker-default.json")),
        "STUBPOOL_OCI_CORPUS names no folder with docker-default.json");
    String text = Files.readString(Path.of(folder, "docker-default.json"));
    Set<String> all = capabilities.isEmpty() ? Set.of() : Set.of(capabilities.split(",", -1));
    LoadedPolicy loaded =
        OciProfile.parse(
            text, LoadContext.DEFAULT.withCapabilities(all).withKernel(new KernelVersion(6, 18)));
    libseccomp.init(SeccompAction.errno(1));
    libseccomp.addArchitecture(Architecture.I386);
    libseccomp.addArchitecture(Architecture.X32);
    assertThat(loaded.policy().rules().keySet())
        .containsExactlyInAnyOrder(Architecture.X86_64, Architecture.I386, Architecture.X32);
    DockerRules.add(text, all, libseccomp);
    Tally tally = new Tally();
    List<SeccompData> calls = new ArrayList<>();
    for (Architecture architecture : loaded.policy().rules().keySet()) {
      SystemCallTable table = SystemCallTable.of(architecture);
      for (int i = -1; i < 600; i++) {
        int nr = architecture == Architecture.X32 ? i | Architecture.X32_BIT : i;
        if ((i == -1 && architecture == Architecture.X32)
            || table.name(nr).filter(name -> !knows(architecture, name)).isPresent()) {
          continue; // -1 belongs to x86-64; what the library does not know it cannot judge
        }
        for (long argument :
            new long[] {
              0,
              8,
              37,
              38,
              39,
              40,
              41,
              0x20000,
              0x20008,
              0xffffffffL,
              0x7e020000L,
              0x2000000L,
              0x100000000L,
              -1
            }) {
          calls.add(SeccompData.of(architecture, nr, 0, argument, argument ^ 1, argument));
        }
      }
    }
    compare(loaded.policy(), calls, tally, _ -> "Docker's profile with " + all);
    tally.report("Docker's profile with " + all);
  }
}
