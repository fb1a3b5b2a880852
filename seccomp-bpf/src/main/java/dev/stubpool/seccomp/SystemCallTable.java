package dev.stubpool.seccomp;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * The names and numbers of an architecture's system calls, as the headers of Linux 7.2 have them
 * (Debian's package linux-libc-dev 7.2.13-1; {@code tables/generate} of this module's sources makes
 * the tables from it).
 *
 * <p>Names are those of the headers' {@code __NR_} macros, on Arm also of {@code __ARM_NR_}. Each
 * architecture's own spelling is used where names differ, such as {@code newfstatat}.
 *
 * <p>A decimal or hexadecimal number is accepted wherever a name is, for calls of newer kernels
 * that the table lacks.
 *
 * <p>Immutable and thread-safe. A table is loaded on first use.
 */
public final class SystemCallTable {
  private static final Map<Architecture, SystemCallTable> TABLES = new ConcurrentHashMap<>();
  private static final Pattern NUMBER = Pattern.compile("-?[0-9]+|0x[0-9a-fA-F]+");

  private final Architecture architecture;
  private final Map<String, Integer> numbers = new TreeMap<>();
  private final Map<Integer, String> names = new HashMap<>();

  private SystemCallTable(Architecture architecture) {
    this.architecture = architecture;
    try (InputStream in = open(architecture);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      String line;
      while ((line = lines.readLine()) != null) {
        if (!line.startsWith("#")) {
          int tab = line.indexOf('\t');
          int nr = Integer.parseInt(line, 0, tab, 10);
          String name = line.substring(tab + 1);
          numbers.put(name, nr);
          names.putIfAbsent(nr, name);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InputStream open(Architecture architecture) {
    return Objects.requireNonNull(
        SystemCallTable.class.getResourceAsStream("calls/" + architecture.label() + ".tsv"),
        architecture::label);
  }

  /**
   * The table of an architecture.
   *
   * @param architecture the architecture
   * @return the table
   */
  public static SystemCallTable of(Architecture architecture) {
    return TABLES.computeIfAbsent(architecture, SystemCallTable::new);
  }

  /**
   * The number of a call.
   *
   * @param name its name, or a number from -2147483648 to 4294967295, decimal or with 0x
   * @return the number
   * @throws IllegalArgumentException if it is neither
   */
  public int number(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s has no system call \"%s\"".formatted(architecture.label(), name)));
  }

  /**
   * Finds the number of a call.
   *
   * @param name as for {@link #number}
   * @return the number, or empty if it is neither a name nor a number
   */
  public OptionalInt find(String name) {
    Integer known = numbers.get(name);
    if (known != null) {
      return OptionalInt.of(known);
    }
    if (!NUMBER.matcher(name).matches()) {
      return OptionalInt.empty();
    }
    try {
      long number =
          name.startsWith("0x") ? Long.parseLong(name, 2, name.length(), 16) : Long.parseLong(name);
      return number == (int) number || number == (number & 0xffff_ffffL)
          ? OptionalInt.of((int) number)
          : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty(); // beyond 64 bits
    }
  }

  /**
   * The name of a number.
   *
   * @param nr the number
   * @return the name, if the table has one; the usual one if there are several
   */
  public Optional<String> name(int nr) {
    return Optional.ofNullable(names.get(nr));
  }

  /**
   * All names, aliases included.
   *
   * @return the names, sorted
   */
  public Set<String> names() {
    return Collections.unmodifiableSet(numbers.keySet());
  }
}
