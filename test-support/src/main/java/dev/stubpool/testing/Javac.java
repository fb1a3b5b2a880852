package dev.stubpool.testing;

import java.io.File;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The compiler of the JDK that runs the tests. */
public final class Javac {
  private Javac() {}

  /**
   * Compiles sources against everything that the test itself sees.
   *
   * @param output folder for the classes
   * @param options of javac
   * @param sources files with Java code
   * @return what javac printed about errors and warnings; empty if there are none
   */
  public static String compile(Path output, List<String> options, List<Path> sources) {
    List<String> arguments = new ArrayList<>(options);
    arguments.addAll(List.of("-proc:none", "-implicit:none", "-cp", classPath()));
    arguments.addAll(List.of("-d", output.toString()));
    sources.forEach(source -> arguments.add(source.toString()));
    StringWriter printed = new StringWriter();
    PrintWriter writer = new PrintWriter(printed);
    ToolProvider javac = ToolProvider.findFirst("javac").orElseThrow();
    int status = javac.run(writer, writer, arguments.toArray(String[]::new));
    writer.flush();
    if (status != 0 && printed.toString().isEmpty()) {
      throw new AssertionError("javac ends with " + status + " and says nothing");
    }
    return printed.toString();
  }

  /** Modules, too: what is compiled here is in none. */
  private static String classPath() {
    return Stream.of("java.class.path", "jdk.module.path")
        .map(System::getProperty)
        .filter(path -> path != null && !path.isEmpty())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
