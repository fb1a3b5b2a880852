package dev.stubpool.kernel;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What is to be run, and what it gets. Made by {@link #builder}.
 *
 * @param file a static x86-64 program of the host
 * @param arguments argv, the program's own name first
 * @param environment entries {@code NAME=value}
 * @param root a directory of the host that is its {@code /}
 * @param readOnly files and directories of the host that it sees whatever their permissions, under
 *     their own names
 * @param hidden files and directories of the host that it does not see
 * @param workingDirectory where its relative paths begin; {@code /} if it does not see that
 * @param input its standard input; this JVM's own if empty, as with the next two
 * @param output its standard output
 * @param errors its standard error
 * @param memory bytes that can be written, of all of its processes
 * @param processes how many threads there may be, of all of its processes, and how many processes,
 *     those that have ended and were not waited for among them
 * @param timeout after which all of it is killed; none if empty
 * @param diagnostics who is told what it wants and does not get
 * @param trace who gets its system calls, a line each; nobody if empty
 * @param statistics who is told at its end what it did; nobody if empty
 */
public record Program(
    Path file,
    List<String> arguments,
    List<String> environment,
    Path root,
    List<Path> readOnly,
    List<Path> hidden,
    Path workingDirectory,
    Optional<InputStream> input,
    Optional<OutputStream> output,
    Optional<OutputStream> errors,
    long memory,
    int processes,
    Optional<Duration> timeout,
    Consumer<String> diagnostics,
    Optional<Consumer<String>> trace,
    Optional<Consumer<Statistics>> statistics) {
  /** As much memory as a program may have, if nothing is said. */
  public static final long DEFAULT_MEMORY = 2L << 30;

  /** As many threads as a program may have, if nothing is said. */
  public static final int DEFAULT_PROCESSES = 256;

  /** Refuses what cannot be. */
  public Program {
    Objects.requireNonNull(file, "file");
    arguments = List.copyOf(arguments);
    environment = List.copyOf(environment);
    Objects.requireNonNull(root, "root");
    readOnly = List.copyOf(readOnly);
    hidden = List.copyOf(hidden);
    if (memory <= 0) {
      throw new IllegalArgumentException("memory is " + memory + ", must be positive");
    }
    if (processes <= 0) {
      throw new IllegalArgumentException("processes is " + processes + ", must be positive");
    }
    Objects.requireNonNull(workingDirectory, "workingDirectory");
    Objects.requireNonNull(diagnostics, "diagnostics");
    if (arguments.isEmpty()) {
      throw new IllegalArgumentException("arguments are none, must begin with the program's name");
    }
  }

  /** A program with its path for its name, no arguments and no environment. */
  public static Builder builder(Path file) {
    return new Builder(file);
  }

  /** Collects what a program gets. */
  public static final class Builder {
    private final Path file;
    private List<String> arguments;
    private List<String> environment = List.of();
    private Path root = Path.of("/");
    private List<Path> readOnly = List.of();
    private List<Path> hidden = List.of();
    private long memory = DEFAULT_MEMORY;
    private int processes = DEFAULT_PROCESSES;
    private Duration timeout;
    private Path workingDirectory = Path.of("").toAbsolutePath();
    private InputStream input;
    private OutputStream output;
    private OutputStream errors;
    private Consumer<String> diagnostics = _ -> {};
    private Consumer<String> trace;
    private Consumer<Statistics> statistics;

    private Builder(Path file) {
      this.file = file;
      this.arguments = List.of(file.toString());
    }

    /** Its arguments, its own name first. */
    public Builder arguments(List<String> value) {
      arguments = value;
      return this;
    }

    /** Its environment, entries {@code NAME=value}. */
    public Builder environment(List<String> value) {
      environment = value;
      return this;
    }

    /** A directory of the host that is its root: the host's own if it is not said. */
    public Builder root(Path value) {
      root = value;
      return this;
    }

    /** Files and directories of the host that it sees whatever their permissions. */
    public Builder readOnly(List<Path> value) {
      readOnly = value;
      return this;
    }

    /** Files and directories of the host that it does not see. */
    public Builder hide(List<Path> value) {
      hidden = value;
      return this;
    }

    /** Bytes that can be written: {@link #DEFAULT_MEMORY} if it is not said. */
    public Builder memory(long value) {
      memory = value;
      return this;
    }

    /** Threads of all processes: {@link #DEFAULT_PROCESSES} if it is not said. */
    public Builder processes(int value) {
      processes = value;
      return this;
    }

    /** When all of it is killed. */
    public Builder timeout(Duration value) {
      timeout = value;
      return this;
    }

    /** Where its relative paths begin: this JVM's working directory if it is not said. */
    public Builder workingDirectory(Path value) {
      workingDirectory = value;
      return this;
    }

    /** Its standard input. */
    public Builder input(InputStream value) {
      input = value;
      return this;
    }

    /** Its standard output. */
    public Builder output(OutputStream value) {
      output = value;
      return this;
    }

    /** Its standard error. */
    public Builder errors(OutputStream value) {
      errors = value;
      return this;
    }

    /** Who is told what it wants and does not get. */
    public Builder diagnostics(Consumer<String> value) {
      diagnostics = value;
      return this;
    }

    /** Who gets its system calls. */
    public Builder trace(Consumer<String> value) {
      trace = value;
      return this;
    }

    /** Who is told at its end what it did. */
    public Builder statistics(Consumer<Statistics> value) {
      statistics = value;
      return this;
    }

    /** The program, checked. */
    public Program build() {
      return new Program(
          file,
          arguments,
          environment,
          root,
          readOnly,
          hidden,
          workingDirectory,
          Optional.ofNullable(input),
          Optional.ofNullable(output),
          Optional.ofNullable(errors),
          memory,
          processes,
          Optional.ofNullable(timeout),
          diagnostics,
          Optional.ofNullable(trace),
          Optional.ofNullable(statistics));
    }
  }
}
