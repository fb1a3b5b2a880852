package dev.stubpool.seccomp.bpf;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Names of errnos, and of constants in arguments, such as {@code SIGSTOP} or {@code
 * PROT_READ|PROT_EXEC}. Covers a few calls, and constants that are the same on most architectures.
 */
final class ConstantNames {

  /** Errnos. */
  static final Kind ERRNO;

  /** By call name and argument, such as {@code kill:1}. */
  private static final Map<String, Kind> ARGUMENTS = new HashMap<>();

  static {
    Map<String, Kind> kinds = new HashMap<>();
    try (InputStream in =
            Objects.requireNonNull(ConstantNames.class.getResourceAsStream("constants.tsv"));
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      String line;
      while ((line = lines.readLine()) != null) {
        String[] columns = line.split("\t", -1);
        switch (columns[0]) {
          case "kind" -> kinds.put(columns[1], new Kind(word(columns[2])));
          case "constant" -> kinds.get(columns[1]).add(word(columns[2]), columns[3]);
          case "argument" -> ARGUMENTS.put(columns[1] + ":" + columns[2], kinds.get(columns[3]));
          default -> {
            // A comment.
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ERRNO = kinds.get("errno");
  }

  private ConstantNames() {}

  private static int word(String text) {
    return Long.decode(text).intValue();
  }

  /** The kind of constants in an argument of a call, if known. */
  static Optional<Kind> ofArgument(String call, int index) {
    return Optional.ofNullable(ARGUMENTS.get(call + ":" + index));
  }

  private record Constant(int value, String name) {}

  /** A group of constants: an enumeration in some of the bits, flags in the others. */
  static final class Kind {
    private final int numberMask;
    private final List<Constant> constants = new ArrayList<>();

    private Kind(int numberMask) {
      this.numberMask = numberMask;
    }

    private void add(int value, String name) {
      constants.add(new Constant(value, name));
    }

    /** The name of a value, if at least a part of it has one. */
    Optional<String> name(int value) {
      List<String> names = new ArrayList<>();
      int left = value;
      for (Constant constant : constants) {
        boolean isFlag = (constant.value & ~numberMask) != 0;
        boolean matches =
            isFlag
                ? (left & constant.value) == constant.value
                : numberMask != 0 && constant.value == (value & numberMask);
        if (matches && (isFlag || (left & numberMask) == constant.value)) {
          boolean isSuperfluous = constant.value == 0 && value != 0;
          if (!isSuperfluous) {
            names.add(constant.name);
          }
          left &= ~constant.value;
        }
      }
      if (names.isEmpty()) {
        return Optional.empty();
      }
      if (left != 0) {
        names.add("0x" + Integer.toHexString(left));
      }
      return Optional.of(String.join("|", names));
    }

    /** The names of the flags among some bits, if all of them have names. */
    Optional<String> flags(int bits) {
      return (bits & numberMask) == 0 && bits != 0 ? name(bits) : Optional.empty();
    }
  }
}
