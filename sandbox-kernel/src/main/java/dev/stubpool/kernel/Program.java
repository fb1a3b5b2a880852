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
 * A program to run, with its environment and limits. Immutable; created by {@link #builder}.
 *
 * @param file a static x86-64 executable on the host
 * @param arguments argv, beginning with the program's name
 * @param environment entries {@code NAME=value}
 * @param root the host directory that is the program's {@code /}
 * @param readOnly host files and directories that are visible regardless of their permissions,
 *     under their own names
 * @param hidden host files and directories that are not visible
 * @param workingDirectory the initial working directory; {@code /} if it is not visible
 * @param input the standard input; if empty, this JVM's own, as for the next two
 * @param output the standard output
 * @param errors the standard error
 * @param memory the limit for writable memory of all processes together, in bytes, positive
 * @param processes the limit for the threads of all processes together, positive; it is also the
 *     limit for processes, zombies included
 * @param timeout the time after which all processes are killed; no limit if empty
 * @param diagnostics receives messages about requests that the kernel does not support
 * @param trace receives the system calls, a line each; no tracing if empty
 * @param statistics receives the statistics at the end; none are collected if empty
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
  /** The default of {@link #memory}: 2 GiB. */
  public static final long DEFAULT_MEMORY = 2L << 30;

  /** The default of {@link #processes}. */
  public static final int DEFAULT_PROCESSES = 256;

  /** Checks the components and copies the lists. */
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
      throw new IllegalArgumentException("arguments is empty, must begin with the program's name");
    }
  }

  /** Starts a program whose only argument is its path and whose environment is empty. */
  public static Builder builder(Path file) {
    return new Builder(file);
  }

  /** Builds a {@link Program}. Not thread-safe. */
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

    /** Sets the arguments, beginning with the program's name. */
    public Builder arguments(List<String> value) {
      arguments = value;
      return this;
    }

    /** Sets the environment, entries {@code NAME=value}. */
    public Builder environment(List<String> value) {
      environment = value;
      return this;
    }

    /** Sets the host directory that is the program's root; default: the host's root. */
    public Builder root(Path value) {
      root = value;
      return this;
    }

    /** Sets host files and directories that are visible regardless of their permissions. */
    public Builder readOnly(List<Path> value) {
      readOnly = value;
      return this;
    }

    /** Sets host files and directories that are not visible. */
    public Builder hide(List<Path> value) {
      hidden = value;
      return this;
    }

    /** Sets the memory limit in bytes; default: {@link #DEFAULT_MEMORY}. */
    public Builder memory(long value) {
      memory = value;
      return this;
    }

    /** Sets the limit for the threads of all processes; default: {@link #DEFAULT_PROCESSES}. */
    public Builder processes(int value) {
      processes = value;
      return this;
    }

    /** Sets the time after which all processes are killed. */
    public Builder timeout(Duration value) {
      timeout = value;
      return this;
    }

    /** Sets the initial working directory; default: this JVM's working directory. */
    public Builder workingDirectory(Path value) {
      workingDirectory = value;
      return this;
    }

    /** Sets the standard input. */
    public Builder input(InputStream value) {
      input = value;
      return this;
    }

    /** Sets the standard output. */
    public Builder output(OutputStream value) {
      output = value;
      return this;
    }

    /** Sets the standard error. */
    public Builder errors(OutputStream value) {
      errors = value;
      return this;
    }

    /** Sets the receiver of messages about unsupported requests. */
    public Builder diagnostics(Consumer<String> value) {
      diagnostics = value;
      return this;
    }

    /** Sets the receiver of the trace, a line for each system call. */
    public Builder trace(Consumer<String> value) {
      trace = value;
      return this;
    }

    /** Sets the receiver of the statistics. */
    public Builder statistics(Consumer<Statistics> value) {
      statistics = value;
      return this;
    }

    /**
     * Builds the program.
     *
     * @throws IllegalArgumentException if a limit is not positive, or the arguments are empty
     */
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
