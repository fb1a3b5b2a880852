package dev.stubpool.bench;

import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Program;
import dev.stubpool.bench.report.Row;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.seccomp.formats.LoadContext;
import dev.stubpool.seccomp.formats.OciProfile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * Compiling seccomp policies for x86-64; the floor is libseccomp, which builds the same rules. The
 * policies are those of another sandbox's stubs, {@code race}, and Docker's default profile, {@code
 * docker}, from the folder that the environment variable STUBPOOL_OCI_CORPUS names.
 */
public class CompileBenchmark extends StubBenchmark {
  private static final double NANOS = 1000;
  private static final String DOCKER = "STUBPOOL_OCI_CORPUS/docker-default.json";

  /** Which policy: race or docker. */
  @Param({"race", "docker"})
  public String policy;

  private SeccompPolicy loaded;

  /** Reads the policy. */
  @Setup
  public void load() {
    loaded = load(policy);
  }

  /** Rows {@code compile_race} and {@code compile_docker}: policy to verified program. */
  @Benchmark
  @Row(
      group = Group.COMPILE,
      name = "compile_{policy}",
      floor = "compile_{policy}",
      params = "policy=race")
  @Row(
      group = Group.COMPILE,
      name = "compile_{policy}",
      floor = "compile_{policy}",
      params = "policy=docker",
      needs = DOCKER)
  public BpfProgram compile() {
    return SeccompCompiler.compile(loaded);
  }

  /**
   * Takes what to do and a policy. {@code cold} times the first time that this JVM compiles, and
   * prints a line as the floor does; {@code rules} prints what the floor reads.
   */
  @Program(arguments = {"cold", "{policy}"})
  @Row(
      group = Group.COMPILE,
      name = "compile_{policy}_cold",
      floor = "compile_{policy}_cold",
      params = "policy=race")
  @Row(
      group = Group.COMPILE,
      name = "compile_{policy}_cold",
      floor = "compile_{policy}_cold",
      params = "policy=docker",
      needs = DOCKER)
  public static void main(String[] arguments) {
    SeccompPolicy policy = load(arguments[1]);
    switch (arguments[0]) {
      case "cold" -> {
        long begin = System.nanoTime();
        BpfProgram program = SeccompCompiler.compile(policy);
        double time = (System.nanoTime() - begin) / NANOS;
        System.out.printf(
            Locale.ROOT,
            "{\"name\":\"compile_%s_cold\",\"unit\":\"us\",\"n\":1,\"p50\":%.3f,\"length\":%d}%n",
            arguments[1],
            time,
            program.length());
      }
      case "rules" -> printRules(policy);
      default -> throw new IllegalArgumentException("cold or rules: " + arguments[0]);
    }
  }

  private static SeccompPolicy load(String name) {
    SeccompPolicy all = OciProfile.parse(text(name), LoadContext.DEFAULT.withFile(name)).policy();
    return new SeccompPolicy(
        all.defaultAction(),
        all.badArchitectureAction(),
        Map.of(Architecture.X86_64, all.rules().get(Architecture.X86_64)));
  }

  private static String text(String name) {
    try {
      if (name.equals("docker")) {
        String folder = System.getenv("STUBPOOL_OCI_CORPUS");
        if (folder == null) {
          throw new IllegalStateException("STUBPOOL_OCI_CORPUS names no folder");
        }
        return Files.readString(Path.of(folder, "docker-default.json"));
      }
      try (InputStream in = CompileBenchmark.class.getResourceAsStream(name + ".json")) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The default action, then a rule a line: action, number, and for each comparison four words. */
  private static void printRules(SeccompPolicy policy) {
    System.out.printf("0x%x%n", policy.defaultAction().encode());
    for (SeccompRule rule : policy.rules().get(Architecture.X86_64)) {
      System.out.printf("0x%x %d", rule.action().encode(), rule.nr());
      for (Condition condition : rule.conditions()) {
        System.out.print(
            switch (condition) {
              case Condition.Compare compare ->
                  " %d %s 0x%x 0"
                      .formatted(argument(compare.subject()), operator(compare), compare.value());
              case Condition.MaskedEqual masked ->
                  " %d MASKED_EQ 0x%x 0x%x"
                      .formatted(argument(masked.subject()), masked.mask(), masked.value());
              default -> throw new IllegalArgumentException("not of a profile: " + condition);
            });
      }
      System.out.println();
    }
  }

  private static int argument(Condition.Subject subject) {
    int index = 0;
    while (SeccompField.argument(index) != subject.field()) {
      index++;
    }
    return index;
  }

  private static String operator(Condition.Compare compare) {
    return switch (compare.comparison()) {
      case EQUAL -> "EQ";
      case NOT_EQUAL -> "NE";
      case LESS -> "LT";
      case LESS_OR_EQUAL -> "LE";
      case GREATER -> "GT";
      case GREATER_OR_EQUAL -> "GE";
      default -> throw new IllegalArgumentException("not of a profile: " + compare);
    };
  }
}
