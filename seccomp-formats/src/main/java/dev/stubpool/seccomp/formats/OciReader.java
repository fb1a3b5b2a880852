package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.formats.CallRules.Outcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads a policy from a profile's JSON. For a single use. */
final class OciReader {
  private static final Set<String> PROFILE_FIELDS =
      Set.of(
          "defaultAction",
          "defaultErrnoRet",
          "architectures",
          "archMap",
          "flags",
          "listenerPath",
          "listenerMetadata",
          "syscalls");
  private static final Set<String> ENTRY_FIELDS =
      Set.of("names", "name", "action", "errnoRet", "args", "comment", "includes", "excludes");
  private static final Set<String> ARGUMENT_FIELDS = Set.of("index", "value", "valueTwo", "op");
  private static final Set<String> MAP_FIELDS = Set.of("architecture", "subArchitectures");
  private static final Set<String> FILTER_FIELDS = Set.of("caps", "arches", "minKernel");
  private static final Set<String> FLAGS =
      Set.of(
          "SECCOMP_FILTER_FLAG_TSYNC",
          "SECCOMP_FILTER_FLAG_LOG",
          "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
          "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");

  private static final int EPERM = 1;
  private static final int MAX_DATA = 0xffff;
  private static final int MAX_INDEX = 5;

  private final LoadContext context;
  private final JsonReader json = new JsonReader();

  OciReader(LoadContext context) {
    this.context = context;
  }

  LoadedPolicy read(Json root) {
    Json.Members profile = json.object(root, "a profile");
    json.checkFields(profile, PROFILE_FIELDS);
    SeccompAction defaultAction =
        action(json.required(profile, "defaultAction"), json.optional(profile, "defaultErrnoRet"));
    LibseccompFilter filter = new LibseccompFilter(context.architecture(), defaultAction);
    architectures(profile).forEach(filter::addArchitecture);
    List<String> flags = flags(profile);
    if (defaultAction.kind() == SeccompAction.Kind.USER_NOTIF) {
      json.warn(
          json.required(profile, "defaultAction").location(),
          "runc refuses SCMP_ACT_NOTIFY as default action");
    }
    for (Json entry : json.elements(profile, "syscalls")) {
      readEntry(json.object(entry, "an entry of \"syscalls\""), filter);
    }
    return new LoadedPolicy(
        filter.policy(),
        json.warnings(),
        flags,
        json.optional(profile, "listenerPath").map(path -> json.text(path).value()),
        json.optional(profile, "listenerMetadata").map(data -> json.text(data).value()));
  }

  private Set<Architecture> architectures(Json.Members profile) {
    List<Json> listed = json.elements(profile, "architectures");
    List<Json> map = json.elements(profile, "archMap");
    if (!listed.isEmpty() && !map.isEmpty()) {
      throw new FormatException(
          profile.names().get("archMap"),
          "a profile has either \"architectures\" or \"archMap\", not both");
    }
    Set<Architecture> architectures = new LinkedHashSet<>();
    listed.forEach(element -> architecture(element).ifPresent(architectures::add));
    boolean found = false;
    for (Json element : map) {
      Json.Members mapping = json.object(element, "an entry of \"archMap\"");
      json.checkFields(mapping, MAP_FIELDS);
      Json.Text main = json.text(json.required(mapping, "architecture"));
      List<Json> others = json.elements(mapping, "subArchitectures");
      boolean own =
          !found
              && OciNames.ofArchitecture(context.architecture()).equals(Optional.of(main.value()));
      for (Json other : others) {
        Json.Text name = json.text(other);
        if (own) {
          architecture(name).ifPresent(architectures::add);
        }
      }
      found |= own;
    }
    return architectures;
  }

  private Optional<Architecture> architecture(Json element) {
    Json.Text name = json.text(element);
    if (!name.value().startsWith("SCMP_ARCH_")) {
      throw json.unexpected(name, "an architecture such as SCMP_ARCH_X86_64");
    }
    Optional<Architecture> architecture = OciNames.architecture(name.value());
    if (architecture.isEmpty()) {
      json.warn(
          name.location(),
          "%s is not supported: its calls are of a bad architecture"
              .formatted(Messages.shorten(name.value())));
    }
    return architecture;
  }

  private List<String> flags(Json.Members profile) {
    List<String> flags = new ArrayList<>();
    for (Json element : json.elements(profile, "flags")) {
      Json.Text flag = json.text(element);
      if (!FLAGS.contains(flag.value())) {
        throw json.unexpected(flag, "one of " + sorted(FLAGS));
      }
      flags.add(flag.value());
    }
    return flags;
  }

  private void readEntry(Json.Members entry, LibseccompFilter filter) {
    json.checkFields(entry, ENTRY_FIELDS);
    List<Json.Text> names = names(entry);
    Json actionName = json.required(entry, "action");
    SeccompAction action = action(actionName, json.optional(entry, "errnoRet"));
    json.optional(entry, "comment").ifPresent(json::text);
    List<List<Comparison>> rules = rules(json.elements(entry, "args"));
    if (!applies(entry)) {
      return;
    }
    for (Json.Text name : names) {
      if (!filter.knows(name.value())) {
        json.warn(
            name.location(),
            "no call \"%s\" is known on %s: ignored"
                .formatted(
                    Messages.shorten(name.value()),
                    filter.architectures().stream()
                        .map(Architecture::label)
                        .collect(Collectors.joining(", "))));
      } else if (!action.equals(filter.defaultAction())) {
        for (List<Comparison> rule : rules) {
          add(filter, name, action, rule);
        }
      }
      if (action.kind() == SeccompAction.Kind.USER_NOTIF && name.value().equals("write")) {
        json.warn(name.location(), "runc refuses SCMP_ACT_NOTIFY for write");
      }
    }
  }

  private void add(
      LibseccompFilter filter, Json.Text name, SeccompAction action, List<Comparison> rule) {
    Map<Architecture, Outcome> outcomes;
    try {
      outcomes = filter.add(name.value(), action, rule, false);
    } catch (RefusedException e) {
      throw new FormatException(
          name.location(),
          "\"%s\" contradicts an earlier entry: %s"
              .formatted(Messages.shorten(name.value()), e.getMessage()));
    }
    List<String> unreached =
        outcomes.entrySet().stream()
            .filter(outcome -> outcome.getValue() == Outcome.NEVER_APPLIES)
            .map(outcome -> outcome.getKey().label())
            .toList();
    if (!unreached.isEmpty()) {
      json.warn(
          name.location(),
          "%s for \"%s\" never applies on %s: an entry before it with another action covers it"
              .formatted(action, Messages.shorten(name.value()), String.join(", ", unreached)));
    }
  }

  private List<Json.Text> names(Json.Members entry) {
    List<Json.Text> names = new ArrayList<>();
    json.elements(entry, "names").forEach(name -> names.add(json.text(name)));
    Optional<Json.Text> single =
        json.optional(entry, "name").map(json::text).filter(name -> !name.value().isEmpty());
    if (single.isPresent()) {
      if (!names.isEmpty()) {
        throw new FormatException(
            single.get().location(), "an entry has either \"name\" or \"names\", not both");
      }
      names.add(single.get());
    }
    for (Json.Text name : names) {
      if (name.value().isEmpty()) {
        throw json.unexpected(name, "the name of a system call");
      }
    }
    if (names.isEmpty()) {
      json.warn(entry.location(), "the entry names no call and has no effect");
    }
    return names;
  }

  private SeccompAction action(Json value, Optional<Json> errnoRet) {
    Json.Text name = json.text(value);
    Optional<Integer> data = errnoRet.map(number -> (int) json.integer(number, MAX_DATA));
    SeccompAction.Kind kind =
        OciNames.action(name.value())
            .orElseThrow(() -> json.unexpected(name, "one of " + sorted(OciNames.actionNames())));
    return switch (kind) {
      case ERRNO -> {
        int errno = data.orElse(EPERM);
        if (errno > SeccompAction.MAX_ERRNO) {
          json.warn(
              errnoRet.orElseThrow().location(),
              "the kernel makes errno %d %d".formatted(errno, SeccompAction.MAX_ERRNO));
          errno = SeccompAction.MAX_ERRNO;
        }
        yield SeccompAction.errno(errno);
      }
      case TRACE -> SeccompAction.trace(data.orElse(EPERM));
      default -> {
        errnoRet.ifPresent(
            number -> json.warn(number.location(), name.value() + " has no errno: ignored"));
        yield new SeccompAction(kind, 0);
      }
    };
  }

  /** The rules of an entry: one, or one for each argument. */
  private List<List<Comparison>> rules(List<Json> arguments) {
    List<Comparison> comparisons = new ArrayList<>();
    boolean repeated = false;
    Set<Integer> indices = new LinkedHashSet<>();
    for (Json element : arguments) {
      Comparison comparison = comparison(json.object(element, "an argument"));
      comparisons.add(comparison);
      if (!indices.add(comparison.argument())) {
        if (!repeated) {
          json.warn(
              element.location(),
              "argument %d is a duplicate: all arguments of this entry are alternatives"
                  .formatted(comparison.argument()));
        }
        repeated = true;
      }
    }
    return repeated ? comparisons.stream().map(List::of).toList() : List.of(comparisons);
  }

  private Comparison comparison(Json.Members argument) {
    json.checkFields(argument, ARGUMENT_FIELDS);
    int index = (int) json.integer(json.required(argument, "index"), MAX_INDEX);
    long value = json.integer(json.required(argument, "value"), -1);
    long second = json.optional(argument, "valueTwo").map(v -> json.integer(v, -1)).orElse(0L);
    Json.Text name = json.text(json.required(argument, "op"));
    Comparison.Operator operator =
        OciNames.operator(name.value())
            .orElseThrow(() -> json.unexpected(name, "one of " + sorted(OciNames.operatorNames())));
    if (operator != Comparison.Operator.MASKED_EQ) {
      if (second != 0) {
        json.warn(argument.names().get("valueTwo"), name.value() + " has one value only: ignored");
      }
      return Comparison.of(index, operator, value);
    }
    if ((second & ~value) != 0) {
      json.warn(
          argument.names().get("valueTwo"),
          "bits outside the mask 0x%x are ignored".formatted(value));
    }
    return Comparison.masked(index, value, second);
  }

  private boolean applies(Json.Members entry) {
    Optional<Filter> excludes = json.optional(entry, "excludes").map(this::filter);
    Optional<Filter> includes = json.optional(entry, "includes").map(this::filter);
    String architecture = OciNames.inConditions(context.architecture());
    boolean excluded =
        excludes.isPresent()
            && (excludes.get().architectures().contains(architecture)
                || !Collections.disjoint(excludes.get().capabilities(), context.capabilities())
                || excludes.get().minKernel().filter(this::isReached).isPresent());
    boolean included =
        includes.isEmpty()
            || ((includes.get().architectures().isEmpty()
                    || includes.get().architectures().contains(architecture))
                && context.capabilities().containsAll(includes.get().capabilities())
                && includes.get().minKernel().map(this::isReached).orElse(true));
    return included && !excluded;
  }

  private boolean isReached(KernelVersion version) {
    return context.kernel().compareTo(version) >= 0;
  }

  private record Filter(
      Set<String> capabilities, Set<String> architectures, Optional<KernelVersion> minKernel) {}

  private Filter filter(Json value) {
    Json.Members filter = json.object(value, "an object with conditions");
    json.checkFields(filter, FILTER_FIELDS);
    Optional<KernelVersion> minKernel =
        json.optional(filter, "minKernel")
            .map(json::text)
            .filter(version -> !version.value().isEmpty())
            .map(
                version ->
                    KernelVersion.find(version.value())
                        .orElseThrow(
                            () -> json.unexpected(version, "a kernel version such as 4.8")));
    return new Filter(texts(filter, "caps"), texts(filter, "arches"), minKernel);
  }

  private Set<String> texts(Json.Members object, String name) {
    return json.elements(object, name).stream()
        .map(element -> json.text(element).value())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private static String sorted(Set<String> names) {
    return names.stream().sorted().collect(Collectors.joining(", "));
  }
}
