package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.formats.CallRules.Outcome;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model of a libseccomp filter context: its methods correspond to libseccomp's functions, and
 * {@link #policy} is the resulting policy.
 *
 * <p>A rule is added for all architectures that the filter has at that moment. A system call number
 * is the native architecture's, and means the call of the same name on the others. {@link
 * CallRules} defines the precedence of rules for one call.
 *
 * <p>Calls that an architecture multiplexes through another call ({@link Multiplexed}) get two
 * rules: one for the carrier, with a comparison with the selector in place of the rule's own
 * comparison of the first argument, and one for the direct call if it exists.
 */
final class LibseccompFilter {

  /**
   * Numbers from here to -2 are reserved; libseccomp uses lower ones for names that an architecture
   * lacks.
   */
  private static final int FIRST_RESERVED = -99;

  private final Architecture nativeArchitecture;
  private final Map<Architecture, Map<Integer, CallRules>> rules =
      new EnumMap<>(Architecture.class);
  private SeccompAction defaultAction;
  private SeccompAction badArchitectureAction = SeccompAction.KILL_THREAD;
  private boolean skipCallAllowed;

  /** seccomp_init(3); the filter has the native architecture. */
  LibseccompFilter(Architecture nativeArchitecture, SeccompAction defaultAction) {
    this.nativeArchitecture = nativeArchitecture;
    this.defaultAction = defaultAction;
    addArchitecture(nativeArchitecture);
  }

  /** seccomp_reset(3): restores the state after seccomp_init(3), attributes included. */
  void reset(SeccompAction newDefaultAction) {
    rules.clear();
    defaultAction = newDefaultAction;
    badArchitectureAction = SeccompAction.KILL_THREAD;
    skipCallAllowed = false;
    addArchitecture(nativeArchitecture);
  }

  /** seccomp_arch_add(3); no effect if the filter has the architecture. */
  void addArchitecture(Architecture architecture) {
    rules.computeIfAbsent(architecture, _ -> new LinkedHashMap<>());
  }

  /** seccomp_arch_remove(3); no effect if the filter lacks the architecture. */
  void removeArchitecture(Architecture architecture) {
    rules.remove(architecture);
  }

  Set<Architecture> architectures() {
    return rules.keySet();
  }

  /** seccomp_merge(3): adds the architectures of another filter, with their rules. */
  void merge(LibseccompFilter other) throws RefusedException {
    for (Architecture architecture : other.rules.keySet()) {
      if (rules.containsKey(architecture)) {
        throw new RefusedException("both filters have " + architecture.label());
      }
    }
    rules.putAll(other.rules);
  }

  SeccompAction defaultAction() {
    return defaultAction;
  }

  /** SCMP_FLTATR_ACT_BADARCH. */
  void badArchitectureAction(SeccompAction action) {
    badArchitectureAction = action;
  }

  /** SCMP_FLTATR_API_TSKIP: whether there may be rules for call -1. */
  void skipCallAllowed(boolean allowed) {
    skipCallAllowed = allowed;
  }

  /**
   * seccomp_rule_add(3) or, if strict, seccomp_rule_add_exact(3).
   *
   * @param call a call's name or number
   * @param strict whether to refuse a rule if an architecture lacks the call or needs another rule
   * @return the outcome on each architecture that has the call
   * @throws RefusedException if libseccomp would return an error; the filter is unchanged
   */
  Map<Architecture, Outcome> add(
      String call, SeccompAction action, List<Comparison> comparisons, boolean strict)
      throws RefusedException {
    if (action.equals(defaultAction)) {
      throw new RefusedException("the action is the default action");
    }
    if (comparisons.stream().mapToInt(Comparison::argument).distinct().count()
        != comparisons.size()) {
      throw new RefusedException("two comparisons of one argument");
    }
    List<Part> parts = new ArrayList<>();
    for (Architecture architecture : rules.keySet()) {
      parts.addAll(parts(architecture, call, comparisons, strict));
    }
    Map<Architecture, Outcome> outcomes = new EnumMap<>(Architecture.class);
    List<CallRules> changed = new ArrayList<>();
    try {
      for (Part part : parts) {
        CallRules target =
            rules
                .get(part.architecture())
                .computeIfAbsent(part.nr(), _ -> new CallRules(part.architecture()));
        outcomes.put(part.architecture(), target.add(part.comparisons(), action));
        changed.add(target);
      }
    } catch (RefusedException e) {
      changed.reversed().forEach(CallRules::undo);
      throw e;
    }
    return outcomes;
  }

  /** Whether any architecture of the filter has a call. */
  boolean knows(String call) {
    return rules.keySet().stream()
        .anyMatch(
            architecture ->
                SystemCallTable.of(architecture).find(call).isPresent()
                    || Multiplexed.of(architecture, call).isPresent());
  }

  /** A rule for one number of one architecture. */
  private record Part(Architecture architecture, int nr, List<Comparison> comparisons) {}

  private List<Part> parts(
      Architecture architecture, String call, List<Comparison> comparisons, boolean strict)
      throws RefusedException {
    OptionalInt number = number(call);
    if (number.isEmpty()) {
      return parts(architecture, comparisons, strict, call);
    }
    int nr = number.getAsInt();
    if (nr == -1 && skipCallAllowed) {
      return List.of(new Part(architecture, nr, comparisons));
    }
    if (nr < 0 && nr >= FIRST_RESERVED) {
      throw new RefusedException("call number " + nr);
    }
    Optional<String> name = SystemCallTable.of(nativeArchitecture).name(nr);
    if (architecture != nativeArchitecture) {
      return parts(
          architecture,
          comparisons,
          strict,
          name.orElseThrow(
              () ->
                  new RefusedException(
                      "%s has no call %d to look for on %s"
                          .formatted(nativeArchitecture.label(), nr, architecture.label()))));
    }
    if (nr < 0) {
      return lacking(architecture, call, strict);
    }
    return name.isPresent()
        ? parts(architecture, comparisons, strict, name.get())
        : List.of(new Part(architecture, nr, comparisons));
  }

  private static List<Part> parts(
      Architecture architecture, List<Comparison> comparisons, boolean strict, String name)
      throws RefusedException {
    SystemCallTable table = SystemCallTable.of(architecture);
    List<Part> parts = new ArrayList<>();
    Optional<Multiplexed> multiplexed = Multiplexed.of(architecture, name);
    if (multiplexed.isPresent()) {
      if (strict && !comparisons.isEmpty()) {
        throw new RefusedException(
            "%s hides the arguments of %s in another call".formatted(architecture.label(), name));
      }
      List<Comparison> inside = new ArrayList<>();
      inside.add(Comparison.of(0, Comparison.Operator.EQ, multiplexed.get().selector()));
      comparisons.stream().filter(comparison -> comparison.argument() != 0).forEach(inside::add);
      parts.add(new Part(architecture, table.number(multiplexed.get().carrier()), inside));
    }
    OptionalInt nr = table.find(name);
    if (nr.isPresent()) {
      parts.add(new Part(architecture, nr.getAsInt(), comparisons));
    }
    return parts.isEmpty() ? lacking(architecture, name, strict) : parts;
  }

  private static List<Part> lacking(Architecture architecture, String call, boolean strict)
      throws RefusedException {
    if (strict) {
      throw new RefusedException(architecture.label() + " has no call " + call);
    }
    return List.of();
  }

  /** The number of a call that was given by number; no name begins with a digit or a sign. */
  private OptionalInt number(String call) {
    boolean named = call.isEmpty() || !(Character.isDigit(call.charAt(0)) || call.charAt(0) == '-');
    return named ? OptionalInt.empty() : SystemCallTable.of(nativeArchitecture).find(call);
  }

  /**
   * The policy that the filter implements.
   *
   * @throws IllegalArgumentException if it has no architecture
   */
  SeccompPolicy policy() {
    if (rules.isEmpty()) {
      throw new IllegalArgumentException("the filter has no architecture");
    }
    SeccompPolicy.Builder policy =
        SeccompPolicy.builder(rules.keySet().iterator().next())
            .defaultAction(defaultAction)
            .badArchitectureAction(badArchitectureAction);
    rules.forEach(
        (architecture, calls) -> {
          policy.architecture(architecture);
          boolean lowHalf = Comparison.lowHalfOnly(architecture);
          calls.forEach(
              (nr, callRules) -> {
                if (architecture.owns(nr) && (nr != -1 || skipCallAllowed)) {
                  callRules.inOrder().forEach(rule -> policy.rule(rule.withNumber(nr, lowHalf)));
                }
              });
        });
    return policy.build();
  }
}
