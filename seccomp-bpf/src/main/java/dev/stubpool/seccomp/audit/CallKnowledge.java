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

/** What system calls do, as far as audits ask for it: the tables beside this class. */
final class CallKnowledge {

  /** What the kernel takes an argument for. */
  enum ArgumentKind {
    /** 32 bits; the kernel does not look at the high half. */
    NUMBER_32,
    /** All 64 bits count. */
    NUMBER_64,
    /** The address of what the kernel reads or writes. */
    POINTER,
    /** An address that itself counts. */
    ADDRESS,
    /** It depends. */
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

  /** Calls that can do harm, and which. */
  static Map<String, String> dangerous() {
    return DANGEROUS;
  }

  /**
   * A call that can do what another one does.
   *
   * @param call its name
   * @param only what of the other one it can do; all if it is empty
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
   * A use of a call.
   *
   * @param argument which argument, 0 to 5
   * @param value its low half
   */
  record Use(int argument, int value) {}

  /** Calls that can be restricted, each with calls that do the same. */
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
