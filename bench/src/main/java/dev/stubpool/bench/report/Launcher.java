package dev.stubpool.bench.report;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs programs one after the other, each bounded in time, with all that they print in one log. No
 * program outlives its turn or this JVM.
 */
final class Launcher {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Duration PATIENCE_TO_END = Duration.ofSeconds(5);
  private static final int LINES_SHOWN = 20;

  private final Path directory;
  private final Path log;
  private final Path output;
  private final List<String> pinning;
  private final Duration patience;
  private volatile Process current;

  /**
   * A launcher.
   *
   * @param directory the programs' working directory
   * @param work a directory for the log and for what programs print
   * @param cpu the CPU that measured programs run on; empty for any
   */
  Launcher(Path directory, Path work, String cpu) {
    this(directory, work, cpu, PATIENCE);
  }

  Launcher(Path directory, Path work, String cpu, Duration patience) {
    this.directory = directory;
    this.log = work.resolve("log");
    this.output = work.resolve("out");
    this.pinning = cpu.isEmpty() ? List.of() : List.of("taskset", "-c", cpu);
    this.patience = patience;
    Runtime.getRuntime().addShutdownHook(new Thread(this::endCurrent));
  }

  /** Whether measured programs are kept on one CPU. */
  boolean isPinned() {
    return !pinning.isEmpty();
  }

  /**
   * Runs a program on the CPU where all is measured.
   *
   * @return what it printed to standard output
   * @throws BenchException if it failed or did not end in time
   */
  String measured(List<String> command) {
    List<String> pinned = new ArrayList<>(pinning);
    pinned.addAll(command);
    return succeeded(pinned);
  }

  /** As {@link #measured}, on any CPU. */
  String succeeded(List<String> command) {
    int status = status(directory, Map.of(), command);
    String printed = printed();
    if (status != 0) {
      throw new BenchException(
          lastLines()
              + "failed with status "
              + status
              + ": "
              + String.join(" ", command)
              + seeLog());
    }
    return printed;
  }

  /** Runs a program, for example one that probes for something. Returns its exit status. */
  int status(Path where, Map<String, String> environment, List<String> command) {
    append("\n$ " + String.join(" ", command) + "\n");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(where.toFile())
            .redirectInput(new File("/dev/null"))
            .redirectOutput(output.toFile())
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    try {
      current = builder.start();
      if (!current.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        endCurrent();
        append(printed());
        throw new BenchException(
            "not done after " + patience + ": " + String.join(" ", command) + seeLog());
      }
      append(printed());
      return current.exitValue();
    } catch (IOException e) {
      throw new BenchException("cannot start " + String.join(" ", command) + ": " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchException("interrupted during " + String.join(" ", command), e);
    } finally {
      endCurrent();
    }
  }

  /** Ends the current program and all that it has started: first asked, then killed. */
  private void endCurrent() {
    Process process = current;
    if (process == null || !process.isAlive()) {
      return;
    }
    List<ProcessHandle> all =
        Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
    all.forEach(ProcessHandle::destroy);
    boolean interrupted = Thread.interrupted();
    try {
      process.waitFor(PATIENCE_TO_END.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      interrupted = true; // the rest is done at once
    }
    all.forEach(ProcessHandle::destroyForcibly);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether there is a program of that name on the PATH. */
  static boolean finds(String program) {
    String path = System.getenv("PATH");
    return path != null
        && Arrays.stream(path.split(File.pathSeparator))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  private String printed() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new BenchException("cannot read " + output + ": " + e, e);
    }
  }

  private String lastLines() {
    try {
      List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
      List<String> last = lines.subList(Math.max(0, lines.size() - LINES_SHOWN), lines.size());
      return String.join("\n", last) + "\n";
    } catch (IOException e) {
      throw new BenchException("cannot read " + log + ": " + e, e);
    }
  }

  private void append(String text) {
    try {
      Files.writeString(log, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new BenchException("cannot write " + log + ": " + e, e);
    }
  }

  private String seeLog() {
    return "; see " + log;
  }
}
