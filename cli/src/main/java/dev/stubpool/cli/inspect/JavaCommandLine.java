package dev.stubpool.cli.inspect;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Parses the command line of the launcher {@code java}. */
public final class JavaCommandLine {
  /** Options whose value is the next argument. */
  private static final Set<String> WITH_VALUE =
      Set.of(
          "-cp",
          "-classpath",
          "--class-path",
          "-p",
          "--module-path",
          "--upgrade-module-path",
          "--add-modules",
          "--limit-modules",
          "--enable-native-access",
          "--add-reads",
          "--add-exports",
          "--add-opens",
          "--patch-module",
          "--source");

  private static final Set<String> BEFORE_MAIN = Set.of("-m", "--module", "-jar");
  private static final String MODULE = "--module=";

  private JavaCommandLine() {}

  /**
   * Finds what the JVM runs: a class, a module with or without a class, or a jar.
   *
   * @param cmdline the contents of {@code /proc/PID/cmdline}: arguments terminated by zeros
   */
  public static Optional<String> main(String cmdline) {
    List<String> arguments = Arrays.asList(cmdline.split("\0", -1));
    Iterator<String> rest = arguments.subList(1, arguments.size()).iterator();
    while (rest.hasNext()) {
      String argument = rest.next();
      if (BEFORE_MAIN.contains(argument)) {
        return next(rest);
      }
      if (argument.startsWith(MODULE)) {
        return Optional.of(argument.substring(MODULE.length()));
      }
      if (WITH_VALUE.contains(argument)) {
        next(rest);
      } else if (!argument.startsWith("-") && !argument.startsWith("@")) {
        return given(argument);
      }
    }
    return Optional.empty();
  }

  private static Optional<String> next(Iterator<String> arguments) {
    return arguments.hasNext() ? given(arguments.next()) : Optional.empty();
  }

  /** Empty for the empty string after the last zero. */
  private static Optional<String> given(String argument) {
    return Optional.of(argument).filter(text -> !text.isEmpty());
  }
}
