package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Filter definitions and expected verdicts in files: NAME.json is a list of calls of libseccomp's
 * functions, cases.jsonl has a case a line.
 */
final class Corpus {
  private static final Pattern ACTION = Pattern.compile("([A-Z_]+)(?:\\((\\d+)\\))?");

  private final Path folder;
  private final Map<String, LibseccompFilter> filters = new HashMap<>();

  Corpus(Path folder) {
    this.folder = folder;
  }

  /** A system call and what a filter is to say of it. */
  record Case(String definition, String architecture, long nr, List<Long> arguments, String want) {

    /** The call, if its architecture is one of ours. */
    Optional<SeccompData> data() {
      return Architecture.ofLabel(architecture)
          .map(
              known ->
                  SeccompData.of(
                      known, (int) nr, 0, arguments.stream().mapToLong(Long::longValue).toArray()));
    }

    SeccompAction action() {
      return Corpus.action(want);
    }
  }

  List<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("cases.jsonl"))) {
      if (!line.isBlank()) {
        Map<String, Json> members = ((Json.Members) Json.parse(line, "cases.jsonl")).values();
        cases.add(
            new Case(
                text(members.get("t")),
                text(members.get("arch")),
                number(members.get("nr")),
                elements(members.get("args")).stream().map(Corpus::number).toList(),
                text(members.get("want"))));
      }
    }
    return cases;
  }

  /** The filter that a definition builds. */
  LibseccompFilter filter(String definition) {
    LibseccompFilter known = filters.get(definition);
    if (known == null) {
      String file = definition + ".json";
      try {
        known = build(Json.parse(Files.readString(folder.resolve(file)), file));
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
      filters.put(definition, known);
    }
    return known;
  }

  private LibseccompFilter build(Json calls) {
    LibseccompFilter filter = null;
    for (Json call : elements(calls)) {
      List<Json> words = elements(call);
      String function = text(words.getFirst());
      if (function.equals("init")) {
        filter = new LibseccompFilter(Architecture.X86_64, action(text(words.get(1))));
      } else {
        try {
          apply(filter, function, words);
        } catch (RefusedException e) {
          // libseccomp returns an error, too, and has changed nothing: the corpus does so on
          // purpose
          System.out.println("[corpus] " + call.location() + ": refused: " + e.getMessage());
        }
      }
    }
    return filter;
  }

  private void apply(LibseccompFilter filter, String function, List<Json> words)
      throws RefusedException {
    switch (function) {
      case "add_rule" -> addRule(filter, words, false);
      case "add_rule_exactly" -> addRule(filter, words, true);
      case "add_arch" -> architecture(words.get(1)).ifPresent(filter::addArchitecture);
      case "remove_arch" -> architecture(words.get(1)).ifPresent(filter::removeArchitecture);
      case "set_attr" -> setAttribute(filter, text(words.get(1)), words.get(2));
      case "merge" ->
          filter.merge(
              words.get(1) instanceof Json.Text name ? filter(name.value()) : build(words.get(1)));
      case "reset" ->
          filter.reset(words.size() > 1 ? action(text(words.get(1))) : filter.defaultAction());
      case "syscall_priority", "precompute" -> {} // no part of the meaning
      default ->
          throw new IllegalArgumentException(
              words.getFirst().location() + ": no function " + function);
    }
  }

  private static void addRule(LibseccompFilter filter, List<Json> words, boolean strict)
      throws RefusedException {
    String call = words.get(2) instanceof Json.Numeral nr ? nr.value() : text(words.get(2));
    List<Comparison> comparisons = new ArrayList<>();
    for (Json word : words.subList(3, words.size())) {
      List<Json> parts = elements(word);
      Comparison.Operator operator =
          Comparison.Operator.valueOf(text(parts.get(1)).replace("SCMP_CMP_", ""));
      long value = number(parts.get(2));
      int argument = (int) number(parts.get(0));
      comparisons.add(
          operator == Comparison.Operator.MASKED_EQ
              ? Comparison.masked(argument, value, number(parts.get(3)))
              : Comparison.of(argument, operator, value));
    }
    filter.add(call, action(text(words.get(1))), comparisons, strict);
  }

  private static void setAttribute(LibseccompFilter filter, String name, Json value) {
    switch (name) {
      case "act_badarch" -> filter.badArchitectureAction(action(text(value)));
      case "api_tskip" ->
          filter.skipCallAllowed(
              value instanceof Json.Bool bool ? bool.value() : number(value) != 0);
      case "act_default",
          "api_sysrawrc",
          "ctl_log",
          "ctl_nnp",
          "ctl_optimize",
          "ctl_ssb",
          "ctl_tsync",
          "ctl_waitkill" -> {} // no part of the meaning; act_default is read only
      default -> throw new IllegalArgumentException(value.location() + ": no attribute " + name);
    }
  }

  private static Optional<Architecture> architecture(Json name) {
    return text(name).equals("native")
        ? Optional.of(Architecture.X86_64)
        : Architecture.ofLabel(text(name));
  }

  static SeccompAction action(String text) {
    Matcher matcher = ACTION.matcher(text.replace("SCMP_ACT_", ""));
    if (!matcher.matches()) {
      throw new IllegalArgumentException("no action: " + text);
    }
    int data = matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2));
    SeccompAction.Kind kind =
        switch (matcher.group(1)) {
          case "KILL" -> SeccompAction.Kind.KILL_THREAD;
          case "NOTIFY" -> SeccompAction.Kind.USER_NOTIF;
          default -> SeccompAction.Kind.valueOf(matcher.group(1));
        };
    return new SeccompAction(kind, data);
  }

  private static List<Json> elements(Json value) {
    return ((Json.Elements) value).values();
  }

  private static String text(Json value) {
    return ((Json.Text) value).value();
  }

  /** A number, signed or unsigned, or one in a string, there also hexadecimal. */
  private static long number(Json value) {
    String text = value instanceof Json.Numeral number ? number.value() : text(value);
    if (text.startsWith("0x")) {
      return Long.parseUnsignedLong(text.substring(2), 16);
    }
    return text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
  }
}
