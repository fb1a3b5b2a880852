package dev.stubpool.testing;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A JVM of its own for what cannot be undone: kills, filters, limits, other users. On the class
 * path.
 */
public final class ChildJvm implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Process process;
  private final BufferedReader output;

  private ChildJvm(Process process) {
    this.process = process;
    this.output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** The command that runs {@code main} as this JVM would, with native access. */
  public static List<String> command(Class<?> main, String... arguments) {
    return command(List.of("--enable-native-access=ALL-UNNAMED"), classPath(main), main, arguments);
  }

  /** The command that runs {@code main} with other options and class path. */
  public static List<String> command(
      List<String> options, String classPath, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:+UseSerialGC");
    command.add("-XX:TieredStopAtLevel=1"); // a short life
    command.add("-XX:-UsePerfData"); // its file in /tmp is any JVM's with this pid in a namespace
    command.add("--illegal-native-access=deny");
    command.addAll(options);
    command.add("-cp");
    command.add(classPath);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }

  /**
   * Class folders and jars of this JVM, whether they are on its module path or its class path;
   * first the test classes that {@code main} is one of.
   */
  public static String classPath(Class<?> main) {
    return String.join(File.pathSeparator, entries(main));
  }

  private static Set<String> entries(Class<?> main) {
    Set<String> entries = new LinkedHashSet<>();
    entries.add(location(main));
    String modules = System.getProperty("jdk.module.path", "");
    String classes = System.getProperty("java.class.path", "");
    for (String entry : (modules + File.pathSeparator + classes).split(File.pathSeparator, -1)) {
      if (!entry.isEmpty()) {
        entries.add(entry);
      }
    }
    return entries;
  }

  /**
   * Where surefire patches test classes into the module, the code source is the module's; the
   * folder stands beside it.
   */
  private static String location(Class<?> type) {
    try {
      Path path = Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path tests = path.resolveSibling("test-classes");
      return Files.isDirectory(tests) ? tests.toString() : path.toString();
    } catch (java.net.URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A copy of {@link #classPath} that any user can read. */
  public static String readableClassPath(Path folder, Class<?> main) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> copies = new ArrayList<>();
    int number = 0;
    for (String entry : entries(main)) {
      Path from = Path.of(entry);
      if (!Files.exists(from)) {
        continue;
      }
      Path to = folder.resolve(number++ + "-" + from.getFileName());
      if (Files.isDirectory(from)) {
        copyTree(from, to);
      } else {
        Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rw-r--r--"));
      }
      copies.add(to.toString());
    }
    return String.join(File.pathSeparator, copies);
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (var paths = Files.walk(from)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
          Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
        } else {
          Files.copy(path, target, StandardCopyOption.REPLACE_EXISTING);
          Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-r--r--"));
        }
      }
    }
  }

  /** Starts a command, its standard error mixed into its standard output. */
  public static ChildJvm start(List<String> command) {
    try {
      return new ChildJvm(new ProcessBuilder(command).redirectErrorStream(true).start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a command to its end, or kills it after a minute. */
  public static Outcome run(List<String> command) {
    return run(command, PATIENCE);
  }

  /** Runs a command to its end, or kills it after {@code atMost}. */
  public static Outcome run(List<String> command, Duration atMost) {
    try (ChildJvm child = start(command)) {
      child.process.getOutputStream().close();
      // Reading ends when the child closes its output; a child that hangs is killed from the side.
      Thread watchdog =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    try {
                      if (!child.process.waitFor(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
                        child.process.destroyForcibly();
                      }
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                  });
      String text = child.output.readAllAsString();
      int status = child.process.waitFor();
      watchdog.interrupt();
      return new Outcome(status, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** How a command ended. */
  public record Outcome(int status, String output) {}

  /** The next line, or null at the end. */
  public String readLine() {
    try {
      return output.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads lines up to one that starts so, and returns what follows. */
  public String await(String prefix) {
    StringBuilder seen = new StringBuilder();
    String line;
    while ((line = readLine()) != null) {
      if (line.startsWith(prefix)) {
        return line.substring(prefix.length()).strip();
      }
      seen.append(line).append('\n');
    }
    throw new AssertionError("no line '" + prefix + "' but:\n" + seen);
  }

  public long pid() {
    return process.pid();
  }

  /** SIGKILL, and waits for the end. */
  public void kill() {
    try {
      process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    kill();
  }
}
