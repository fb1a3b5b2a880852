package dev.stubpool.bench.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The jar of a checkout's benchmarks. Classes are found in it by their simple names, for another
 * checkout may have them in other packages.
 */
final class BenchmarkJar {
  private static final String CLASS = ".class";
  private static final String BENCHMARK = "Benchmark" + CLASS;
  private static final String GENERATED = ".jmh_generated.";

  private final Path path;
  private final List<String> classes;

  private BenchmarkJar(Path path, List<String> classes) {
    this.path = path;
    this.classes = classes;
  }

  /**
   * Reads which classes there are.
   *
   * @param path a jar, or a directory of classes
   * @throws BenchException if it cannot be read
   */
  static BenchmarkJar open(Path path) {
    try {
      if (Files.isDirectory(path)) {
        return new BenchmarkJar(path, classes(path));
      }
      try (FileSystem jar = FileSystems.newFileSystem(path)) {
        return new BenchmarkJar(path, classes(jar.getPath("/")));
      }
    } catch (IOException | UncheckedIOException e) {
      throw new BenchException("cannot read the jar of benchmarks " + path + ": " + e, e);
    }
  }

  private static List<String> classes(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .map(file -> root.relativize(file).toString())
          .filter(name -> name.endsWith(CLASS))
          .map(name -> name.replace('/', '.'))
          .sorted()
          .toList();
    }
  }

  Path path() {
    return path;
  }

  /** The classes named {@code ...Benchmark}, which may have rows. */
  List<Class<?>> benchmarks() {
    return classes.stream()
        .filter(name -> name.endsWith(BENCHMARK) && !name.contains(GENERATED))
        .<Class<?>>map(name -> load(withoutSuffix(name)))
        .toList();
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, BenchmarkJar.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new BenchException("not on the class path: " + name, e);
    }
  }

  /**
   * The full name of a run's class.
   *
   * @return empty if the jar has no such class, or, for a benchmark, no such method
   * @throws BenchException if there are several
   */
  Optional<String> find(Run run) {
    return switch (run) {
      case Run.Benchmark benchmark ->
          // JMH generates a class for each method, in a package below that of the benchmark.
          only(GENERATED + benchmark.type() + "_" + benchmark.method() + "_jmhTest" + CLASS)
              .map(name -> name.substring(0, name.indexOf(GENERATED)) + "." + benchmark.type());
      case Run.Main program -> only("." + program.type() + CLASS).map(BenchmarkJar::withoutSuffix);
    };
  }

  private Optional<String> only(String end) {
    List<String> found = classes.stream().filter(name -> name.endsWith(end)).toList();
    if (found.size() > 1) {
      throw new BenchException(path + " has several such classes: " + found);
    }
    return found.stream().findFirst();
  }

  private static String withoutSuffix(String name) {
    return name.substring(0, name.length() - CLASS.length());
  }
}
