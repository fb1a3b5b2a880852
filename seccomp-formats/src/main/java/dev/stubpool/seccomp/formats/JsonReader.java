package dev.stubpool.seccomp.formats;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Converts JSON values to their expected types, and collects warnings. */
final class JsonReader {
  private final List<FormatWarning> warnings = new ArrayList<>();

  void warn(Location location, String message) {
    warnings.add(new FormatWarning(location, message));
  }

  /** All warnings, in order of location. */
  List<FormatWarning> warnings() {
    return warnings.stream()
        .sorted(
            Comparator.comparingInt((FormatWarning warning) -> warning.location().line())
                .thenComparingInt(warning -> warning.location().column()))
        .toList();
  }

  FormatException unexpected(Json value, String expected) {
    String found =
        switch (value) {
          case Json.Text text -> "\"" + Messages.shorten(text.value()) + "\"";
          case Json.Numeral number -> Messages.shorten(number.value());
          default -> value.kind();
        };
    return new FormatException(
        value.location(), "expected %s, found %s".formatted(expected, found));
  }

  Json.Members object(Json value, String what) {
    if (value instanceof Json.Members object) {
      return object;
    }
    throw unexpected(value, what + " in braces");
  }

  Json.Text text(Json value) {
    if (value instanceof Json.Text text) {
      return text;
    }
    throw unexpected(value, "a string");
  }

  /** Converts a value to an unsigned number that does not exceed a limit. */
  long integer(Json value, long max) {
    if (value instanceof Json.Numeral number) {
      try {
        long integer = Long.parseUnsignedLong(number.value());
        if (Long.compareUnsigned(integer, max) <= 0 && number.value().charAt(0) != '+') {
          return integer;
        }
      } catch (NumberFormatException e) {
        throw unexpected(value, range(max));
      }
    }
    throw unexpected(value, range(max));
  }

  private static String range(long max) {
    return "an integer from 0 to " + Long.toUnsignedString(max);
  }

  /** A member; null counts as absent. */
  Optional<Json> optional(Json.Members object, String name) {
    return Optional.ofNullable(object.values().get(name))
        .filter(value -> !(value instanceof Json.Null));
  }

  Json required(Json.Members object, String name) {
    return optional(object, name)
        .orElseThrow(
            () -> new FormatException(object.location(), "\"%s\" is missing".formatted(name)));
  }

  /** The elements of a member that must be an array; empty if it is absent. */
  List<Json> elements(Json.Members object, String name) {
    return optional(object, name)
        .map(
            value -> {
              if (value instanceof Json.Elements array) {
                return array.values();
              }
              throw unexpected(value, "an array");
            })
        .orElse(List.of());
  }

  void checkFields(Json.Members object, Set<String> known) {
    for (Map.Entry<String, Location> name : object.names().entrySet()) {
      if (!known.contains(name.getKey())) {
        warn(
            name.getValue(),
            "\"%s\" is unknown here: ignored".formatted(Messages.shorten(name.getKey())));
      }
    }
  }
}
