package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompAction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What Docker and runc hand to libseccomp on x86-64, done again without the reader that is tested:
 * as much of it as Docker's default profile needs.
 */
final class DockerRules {
  private DockerRules() {}

  /** Adds the profile's rules. */
  static void add(String profile, Set<String> capabilities, LibseccompOracle libseccomp) {
    for (Json element : elements(members(Json.parse(profile, "profile")).get("syscalls"))) {
      Map<String, Json> entry = members(element);
      if (!applies(entry, capabilities)) {
        continue;
      }
      SeccompAction action =
          text(entry.get("action")).equals("SCMP_ACT_ALLOW")
              ? SeccompAction.ALLOW
              : SeccompAction.errno((int) number(entry.get("errnoRet")));
      List<Comparison> comparisons = new ArrayList<>();
      for (Json argument : elements(entry.get("args"))) {
        Map<String, Json> parts = members(argument);
        String operator = text(parts.get("op")).substring("SCMP_CMP_".length());
        int index = (int) number(parts.get("index"));
        long value = number(parts.get("value"));
        comparisons.add(
            operator.equals("MASKED_EQ")
                ? Comparison.masked(
                    index, value, parts.containsKey("valueTwo") ? number(parts.get("valueTwo")) : 0)
                : Comparison.of(index, Comparison.Operator.valueOf(operator), value));
      }
      for (Json name : elements(entry.get("names"))) {
        if (libseccomp.add(text(name), action, comparisons) == LibseccompOracle.Answer.REFUSED) {
          throw new IllegalStateException("refused: " + text(name));
        }
      }
    }
  }

  private static boolean applies(Map<String, Json> entry, Set<String> capabilities) {
    if (entry.containsKey("includes")) {
      Map<String, Json> includes = members(entry.get("includes"));
      if (!capabilities.containsAll(texts(includes.get("caps")))
          || (includes.containsKey("arches") && !texts(includes.get("arches")).contains("amd64"))) {
        return false;
      }
    }
    if (entry.containsKey("excludes")) {
      Map<String, Json> excludes = members(entry.get("excludes"));
      return texts(excludes.get("caps")).stream().noneMatch(capabilities::contains)
          && !texts(excludes.get("arches")).contains("amd64");
    }
    return true;
  }

  private static Map<String, Json> members(Json value) {
    return ((Json.Members) value).values();
  }

  private static List<Json> elements(Json value) {
    return value == null ? List.of() : ((Json.Elements) value).values();
  }

  private static List<String> texts(Json value) {
    return elements(value).stream().map(DockerRules::text).toList();
  }

  private static String text(Json value) {
    return ((Json.Text) value).value();
  }

  private static long number(Json value) {
    return Long.parseUnsignedLong(((Json.Numeral) value).value());
  }
}
