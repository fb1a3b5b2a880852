package dev.stubpool.seccomp.formats;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.SystemCallTable;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Writes a policy as a profile's JSON. */
final class OciWriter {
  private final SeccompPolicy policy;

  OciWriter(SeccompPolicy policy) {
    this.policy = policy;
  }

  /** The contents of an entry without its calls; the order of entries does not matter. */
  private record Entry(SeccompAction action, SortedMap<Integer, Comparison> comparisons) {}

  String write() {
    if (!policy.badArchitectureAction().equals(SeccompAction.KILL_THREAD)) {
      throw new IllegalArgumentException(
          "OCI has KILL_THREAD for other architectures, not " + policy.badArchitectureAction());
    }
    checkAction(policy.defaultAction(), "the default action");
    for (Architecture architecture : policy.rules().keySet()) {
      if (OciNames.ofArchitecture(architecture).isEmpty()) {
        throw new IllegalArgumentException("OCI has no name for " + architecture.label());
      }
    }
    Map<Architecture, SortedMap<Integer, Set<Entry>>> entries = entries(policy);
    String text = json(namesOfEntries(entries));
    checkMeaning(entries, text);
    return text;
  }

  /**
   * The calls of each entry. An entry is for all architectures; if only some compare high halves,
   * the entry with high halves is right for the others, too.
   */
  private static Map<Entry, Set<String>> namesOfEntries(
      Map<Architecture, SortedMap<Integer, Set<Entry>>> entries) {
    Map<Entry, Set<String>> names = new LinkedHashMap<>();
    Set<String> withHighHalves = new HashSet<>();
    for (boolean lowHalf : new boolean[] {false, true}) {
      entries.forEach(
          (architecture, calls) -> {
            if (Comparison.lowHalfOnly(architecture) == lowHalf) {
              calls.forEach(
                  (nr, ofCall) -> {
                    String name = name(architecture, nr);
                    if (!lowHalf) {
                      withHighHalves.add(name);
                    }
                    if (!lowHalf || !withHighHalves.contains(name)) {
                      ofCall.forEach(
                          entry ->
                              names.computeIfAbsent(entry, _ -> new LinkedHashSet<>()).add(name));
                    }
                  });
            }
          });
    }
    return names;
  }

  /**
   * The required entries for each call of each architecture; calls without entries are left out.
   */
  private static Map<Architecture, SortedMap<Integer, Set<Entry>>> entries(SeccompPolicy policy) {
    Map<Architecture, SortedMap<Integer, Set<Entry>>> all = new LinkedHashMap<>();
    policy
        .rules()
        .forEach(
            (architecture, rules) -> {
              SortedMap<Integer, List<SeccompRule>> calls = new TreeMap<>();
              rules.forEach(
                  rule -> calls.computeIfAbsent(rule.nr(), _ -> new ArrayList<>()).add(rule));
              SortedMap<Integer, Set<Entry>> entries = new TreeMap<>();
              calls.forEach(
                  (nr, list) -> {
                    Set<Entry> ofCall = entries(architecture, list, policy.defaultAction());
                    if (!ofCall.isEmpty()) {
                      entries.put(nr, ofCall);
                    }
                  });
              all.put(architecture, entries);
            });
    return all;
  }

  private static Set<Entry> entries(
      Architecture architecture, List<SeccompRule> rules, SeccompAction defaultAction) {
    Alternatives alternatives = new Alternatives(Comparison.lowHalfOnly(architecture));
    Set<Entry> entries = new LinkedHashSet<>();
    for (int i = 0; i < rules.size(); i++) {
      SeccompRule rule = rules.get(i);
      if (!rule.action().equals(defaultAction)) {
        String description = describe(architecture, rule);
        checkAction(rule.action(), description);
        List<Condition> conditions = new ArrayList<>(rule.conditions());
        for (SeccompRule earlier : rules.subList(0, i)) {
          if (!earlier.action().equals(rule.action())) {
            conditions.add(Condition.not(new Condition.All(earlier.conditions())));
          }
        }
        if (architecture.bits() == Long.SIZE && Comparison.lowHalfOnly(architecture)) {
          checkWidths(conditions, description);
        }
        try {
          alternatives
              .of(new Condition.All(conditions))
              .forEach(comparisons -> entries.add(new Entry(rule.action(), comparisons)));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "%s cannot be expressed in OCI: %s".formatted(description, e.getMessage()), e);
        }
      }
    }
    return withoutCovered(entries);
  }

  /** Removes entries that are implied by a shorter one with the same action. */
  private static Set<Entry> withoutCovered(Set<Entry> entries) {
    Set<Entry> rest = new LinkedHashSet<>();
    for (Entry entry : entries) {
      boolean covered =
          entries.stream()
              .anyMatch(
                  other ->
                      other.action().equals(entry.action())
                          && other.comparisons().size() < entry.comparisons().size()
                          && entry
                              .comparisons()
                              .entrySet()
                              .containsAll(other.comparisons().entrySet()));
      if (!covered) {
        rest.add(entry);
      }
    }
    return rest;
  }

  /**
   * Checks conditions for x32 and n32, where libseccomp compares only the low halves of 64-bit
   * arguments.
   */
  private static void checkWidths(Collection<Condition> conditions, String description) {
    for (Condition condition : conditions) {
      switch (condition) {
        case Condition.All all -> checkWidths(all.conditions(), description);
        case Condition.Any any -> checkWidths(any.conditions(), description);
        case Condition.Not not -> checkWidths(List.of(not.condition()), description);
        case Condition.Compare compare -> checkWidth(compare.subject(), description);
        case Condition.InRange range -> checkWidth(range.subject(), description);
        case Condition.AnyOf anyOf -> checkWidth(anyOf.subject(), description);
        case Condition.MaskedEqual masked -> checkWidth(masked.subject(), description);
        case Condition.RangeOutside _ -> {} // refused elsewhere
      }
    }
  }

  private static void checkWidth(Condition.Subject subject, String description) {
    if (subject.width() == Condition.Width.BITS_64) {
      throw new IllegalArgumentException(
          description
              + " cannot be expressed in OCI: it looks at 64 bits where libseccomp sees 32");
    }
  }

  private static void checkAction(SeccompAction action, String where) {
    if (action.kind() == SeccompAction.Kind.TRAP && action.data() != 0) {
      throw new IllegalArgumentException(
          "%s cannot be expressed in OCI: %s has data".formatted(where, action));
    }
  }

  private static String describe(Architecture architecture, SeccompRule rule) {
    return "the rule %s for %s of %s"
        .formatted(
            rule.action(),
            SystemCallTable.of(architecture).name(rule.nr()).orElseGet(() -> "call " + rule.nr()),
            architecture.label());
  }

  private static String name(Architecture architecture, int nr) {
    return SystemCallTable.of(architecture)
        .name(nr)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "OCI has names only, but call %d of %s has none"
                        .formatted(nr, architecture.label())));
  }

  private String json(Map<Entry, Set<String>> names) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(out).useDefaultPrettyPrinter()) {
      json.writeStartObject();
      writeAction(json, "defaultAction", "defaultErrnoRet", policy.defaultAction());
      json.writeArrayFieldStart("architectures");
      for (Architecture architecture : policy.rules().keySet()) {
        json.writeString(OciNames.ofArchitecture(architecture).orElseThrow());
      }
      json.writeEndArray();
      json.writeArrayFieldStart("syscalls");
      for (Map.Entry<Entry, Set<String>> entry : names.entrySet()) {
        json.writeStartObject();
        json.writeArrayFieldStart("names");
        for (String name : entry.getValue()) {
          json.writeString(name);
        }
        json.writeEndArray();
        writeAction(json, "action", "errnoRet", entry.getKey().action());
        writeArguments(json, entry.getKey().comparisons().values());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new AssertionError("writing a string", e);
    }
    return out.append('\n').toString();
  }

  private static void writeAction(
      JsonGenerator json, String name, String dataName, SeccompAction action) throws IOException {
    json.writeStringField(name, OciNames.ofAction(action.kind()));
    if (action.kind() == SeccompAction.Kind.ERRNO || action.kind() == SeccompAction.Kind.TRACE) {
      json.writeNumberField(dataName, action.data());
    }
  }

  private static void writeArguments(JsonGenerator json, Collection<Comparison> comparisons)
      throws IOException {
    if (comparisons.isEmpty()) {
      return;
    }
    json.writeArrayFieldStart("args");
    for (Comparison comparison : comparisons) {
      boolean masked = comparison.operator() == Comparison.Operator.MASKED_EQ;
      json.writeStartObject();
      json.writeNumberField("index", comparison.argument());
      json.writeFieldName("value");
      json.writeNumber(Long.toUnsignedString(masked ? comparison.mask() : comparison.value()));
      if (masked) {
        json.writeFieldName("valueTwo");
        json.writeNumber(Long.toUnsignedString(comparison.value()));
      }
      json.writeStringField("op", OciNames.ofOperator(comparison.operator()));
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /**
   * Reads the text again and compares. Entries are for all architectures, so this finds rules that
   * only one of them should have, and effects on multiplexed calls.
   */
  private void checkMeaning(Map<Architecture, SortedMap<Integer, Set<Entry>>> meant, String text) {
    Architecture first = policy.rules().keySet().iterator().next();
    SeccompPolicy read =
        OciProfile.parse(text, LoadContext.DEFAULT.withFile("OCI").withArchitecture(first))
            .policy();
    meant.forEach(
        (architecture, calls) -> {
          SortedMap<Integer, Set<Entry>> said = said(architecture, read);
          Set<Integer> numbers = new HashSet<>(calls.keySet());
          numbers.addAll(said.keySet());
          for (int nr : numbers) {
            if (!calls.getOrDefault(nr, Set.of()).equals(said.getOrDefault(nr, Set.of()))) {
              throw new IllegalArgumentException(
                  "the rules for %s of %s cannot be expressed in OCI beside those of the other calls and architectures"
                      .formatted(name(architecture, nr), architecture.label()));
            }
          }
        });
  }

  /**
   * The entries that were read, by call. If they are those that were written, no two actions apply
   * to one call.
   */
  private static SortedMap<Integer, Set<Entry>> said(
      Architecture architecture, SeccompPolicy read) {
    Alternatives alternatives = new Alternatives(Comparison.lowHalfOnly(architecture));
    SortedMap<Integer, Set<Entry>> said = new TreeMap<>();
    for (SeccompRule rule : read.rules().get(architecture)) {
      alternatives
          .of(new Condition.All(rule.conditions()))
          .forEach(
              comparisons ->
                  said.computeIfAbsent(rule.nr(), _ -> new LinkedHashSet<>())
                      .add(new Entry(rule.action(), comparisons)));
    }
    return said;
  }
}
