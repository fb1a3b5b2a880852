package dev.stubpool.seccomp;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * The names and numbers of an architecture's system calls, as the headers of a Linux version have
 * them.
 *
 * <p>Where a name is wanted a number does as well, decimal or hexadecimal: kernels get calls that
 * no table here knows.
 */
public final class SystemCallTable {
  private static final Map<Architecture, SystemCallTable> TABLES = load();

  private final Architecture architecture;
  private final Map<String, Integer> numbers = new TreeMap<>();
  private final Map<Integer, String> names = new HashMap<>();

  private SystemCallTable(Architecture architecture) {
    this.architecture = architecture;
  }

  /**
   * The table of an architecture.
   *
   * @param architecture which
   * @return the table
   */
  public static SystemCallTable of(Architecture architecture) {
    return TABLES.get(architecture);
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
   * The number of a call, if there is one.
   *
   * @param name as for {@link #number}
   * @return the number, or empty if it is neither a name nor a number
   */
  public OptionalInt find(String name) {
    Integer known = numbers.get(name);
    if (known != null) {
      return OptionalInt.of(known);
    }
    try {
      long number = Long.decode(name);
      return number == (int) number || number == (number & 0xffff_ffffL)
          ? OptionalInt.of((int) number)
          : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }

  /**
   * The name of a number.
   *
   * @param nr the number
   * @return the name, if the table has one
   */
  public Optional<String> name(int nr) {
    return Optional.ofNullable(names.get(nr));
  }

  /**
   * All names.
   *
   * @return the names, sorted
   */
  public Set<String> names() {
    return Collections.unmodifiableSet(numbers.keySet());
  }

  private static Map<Architecture, SystemCallTable> load() {
    Map<Architecture, SystemCallTable> tables = new EnumMap<>(Architecture.class);
    for (Architecture architecture : Architecture.values()) {
      tables.put(architecture, new SystemCallTable(architecture));
    }
    try (InputStream in = SystemCallTable.class.getResourceAsStream("system-calls.tsv");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      String line;
      while ((line = lines.readLine()) != null) {
        if (!line.startsWith("#")) {
          String[] columns = line.split("\t", -1);
          SystemCallTable table = tables.get(Architecture.ofLabel(columns[0]).orElseThrow());
          int nr = Integer.parseInt(columns[1]);
          table.numbers.put(columns[2], nr);
          table.names.putIfAbsent(nr, columns[2]);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return tables;
  }
}
