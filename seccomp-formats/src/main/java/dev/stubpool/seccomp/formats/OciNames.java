package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The names of architectures, actions and operators in profiles. */
final class OciNames {
  private static final String OPERATOR_PREFIX = "SCMP_CMP_";

  private static final Map<Architecture, String> ARCHITECTURES =
      new EnumMap<>(
          Map.of(
              Architecture.X86_64, "SCMP_ARCH_X86_64",
              Architecture.I386, "SCMP_ARCH_X86",
              Architecture.X32, "SCMP_ARCH_X32",
              Architecture.AARCH64, "SCMP_ARCH_AARCH64",
              Architecture.ARM, "SCMP_ARCH_ARM",
              Architecture.RISCV64, "SCMP_ARCH_RISCV64",
              Architecture.LOONGARCH64, "SCMP_ARCH_LOONGARCH64",
              Architecture.MIPSEL, "SCMP_ARCH_MIPSEL",
              Architecture.MIPSEL64, "SCMP_ARCH_MIPSEL64",
              Architecture.MIPSEL64N32, "SCMP_ARCH_MIPSEL64N32"));

  static {
    ARCHITECTURES.put(Architecture.PPC64LE, "SCMP_ARCH_PPC64LE");
  }

  private static final Map<String, SeccompAction.Kind> ACTIONS = actions();

  private OciNames() {}

  private static Map<String, SeccompAction.Kind> actions() {
    Map<String, SeccompAction.Kind> actions = new LinkedHashMap<>();
    actions.put("SCMP_ACT_KILL_PROCESS", SeccompAction.Kind.KILL_PROCESS);
    actions.put("SCMP_ACT_KILL_THREAD", SeccompAction.Kind.KILL_THREAD);
    actions.put("SCMP_ACT_KILL", SeccompAction.Kind.KILL_THREAD);
    actions.put("SCMP_ACT_TRAP", SeccompAction.Kind.TRAP);
    actions.put("SCMP_ACT_ERRNO", SeccompAction.Kind.ERRNO);
    actions.put("SCMP_ACT_NOTIFY", SeccompAction.Kind.USER_NOTIF);
    actions.put("SCMP_ACT_TRACE", SeccompAction.Kind.TRACE);
    actions.put("SCMP_ACT_LOG", SeccompAction.Kind.LOG);
    actions.put("SCMP_ACT_ALLOW", SeccompAction.Kind.ALLOW);
    return actions;
  }

  /** The name of an architecture, if the specification has it. */
  static Optional<String> ofArchitecture(Architecture architecture) {
    return Optional.ofNullable(ARCHITECTURES.get(architecture));
  }

  static Optional<Architecture> architecture(String name) {
    return ARCHITECTURES.entrySet().stream()
        .filter(entry -> entry.getValue().equals(name))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /**
   * The name in {@code includes} and {@code excludes}, which for some architectures is Go's name.
   */
  static String inConditions(Architecture architecture) {
    return switch (architecture) {
      case X86_64 -> "amd64";
      case AARCH64 -> "arm64";
      default -> architecture.label();
    };
  }

  static Optional<SeccompAction.Kind> action(String name) {
    return Optional.ofNullable(ACTIONS.get(name));
  }

  static String ofAction(SeccompAction.Kind kind) {
    return ACTIONS.entrySet().stream()
        .filter(entry -> entry.getValue() == kind)
        .findFirst()
        .orElseThrow()
        .getKey();
  }

  static Set<String> actionNames() {
    return ACTIONS.keySet();
  }

  static Optional<Comparison.Operator> operator(String name) {
    for (Comparison.Operator operator : Comparison.Operator.values()) {
      if (ofOperator(operator).equals(name)) {
        return Optional.of(operator);
      }
    }
    return Optional.empty();
  }

  static String ofOperator(Comparison.Operator operator) {
    return OPERATOR_PREFIX + operator;
  }

  static Set<String> operatorNames() {
    Set<String> names = new LinkedHashSet<>();
    for (Comparison.Operator operator : Comparison.Operator.values()) {
      names.add(ofOperator(operator));
    }
    return names;
  }
}
