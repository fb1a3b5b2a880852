package dev.stubpool.seccomp.audit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What audits have to know about system calls, from the tables beside this class. */
final class CallKnowledge {

  /** How the kernel interprets an argument. */
  enum ArgumentKind {
    /** A 32-bit number; the kernel ignores the high half. */
    NUMBER_32,
    /** A 64-bit number. */
    NUMBER_64,
    /** The address of memory that the kernel reads or writes. */
    POINTER,
    /** An address that is not dereferenced, as in mmap. */
    ADDRESS,
    /** Depends on other arguments. */
    UNKNOWN
  }

  private static final Map<String, String> ARGUMENT_KINDS = load("argument-kinds.tsv");
  private static final Map<String, String> DANGEROUS = load("dangerous-calls.tsv");
  private static final Map<String, String> REPLACEMENTS = load("replacements.tsv");

  private CallKnowledge() {}

  static ArgumentKind argumentKind(String call, int index) {
    String kinds = ARGUMENT_KINDS.getOrDefault(call, "");
    if (index >= kinds.length()) {
      return ArgumentKind.UNKNOWN;
    }
    return switch (kinds.charAt(index)) {
      case 'd', 'i' -> ArgumentKind.NUMBER_32;
      case 'l' -> ArgumentKind.NUMBER_64;
      case 'p' -> ArgumentKind.POINTER;
      case 'a' -> ArgumentKind.ADDRESS;
      default -> ArgumentKind.UNKNOWN;
    };
  }

  /** The calls whose arguments are known. */
  static Set<String> calls() {
    return ARGUMENT_KINDS.keySet();
  }

  /** Dangerous calls, each with the harm that it can do. */
  static Map<String, String> dangerous() {
    return DANGEROUS;
  }

  /**
   * A call that can replace another one.
   *
   * @param call its name
   * @param only the use of the other call that it can replace; empty if it can replace all uses
   */
  record Replacement(String call, Optional<Use> only) {

    private static Replacement parse(String text) {
      String[] parts = text.split("[:=]", -1);
      return new Replacement(
          parts[0],
          parts.length == 1
              ? Optional.empty()
              : Optional.of(new Use(Integer.parseInt(parts[1]), Integer.decode(parts[2]))));
    }
  }

  /**
   * A use of a call: an argument with a given value.
   *
   * @param argument which argument, 0 to 5
   * @param value its low half
   */
  record Use(int argument, int value) {}

  /** Calls that filters restrict, each with calls that can replace it. */
  static Map<String, List<Replacement>> replacements() {
    Map<String, List<Replacement>> replacements = new TreeMap<>();
    REPLACEMENTS.forEach(
        (call, others) ->
            replacements.put(
                call, Stream.of(others.split(" ", -1)).map(Replacement::parse).toList()));
    return replacements;
  }

  private static Map<String, String> load(String resource) {
    Map<String, String> table = new TreeMap<>();
    try (InputStream in = CallKnowledge.class.getResourceAsStream(resource);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      String line;
      while ((line = lines.readLine()) != null) {
        if (!line.startsWith("#")) {
          String[] columns = line.split("\t", -1);
          table.put(columns[0], columns[1]);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return table;
  }
}
