package dev.stubpool.kernel;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
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
 * @param readOnly files and directories of the host that it sees, under their own names
 * @param workingDirectory where its relative paths begin; {@code /} if it does not see that
 * @param input its standard input; this JVM's own if empty, as with the next two
 * @param output its standard output
 * @param errors its standard error
 * @param diagnostics who is told what it wants and does not get
 * @param trace who gets its system calls, a line each; nobody if empty
 */
public record Program(
    Path file,
    List<String> arguments,
    List<String> environment,
    List<Path> readOnly,
    Path workingDirectory,
    Optional<InputStream> input,
    Optional<OutputStream> output,
    Optional<OutputStream> errors,
    Consumer<String> diagnostics,
    Optional<Consumer<String>> trace) {

  /** Refuses what cannot be. */
  public Program {
    Objects.requireNonNull(file, "file");
    arguments = List.copyOf(arguments);
    environment = List.copyOf(environment);
    readOnly = List.copyOf(readOnly);
    Objects.requireNonNull(workingDirectory, "workingDirectory");
    Objects.requireNonNull(diagnostics, "diagnostics");
    if (arguments.isEmpty()) {
      throw new IllegalArgumentException("arguments are none, must begin with the program's name");
    }
  }

  /** A program with its path for its name, no arguments, no environment and no files. */
  public static Builder builder(Path file) {
    return new Builder(file);
  }

  /** Collects what a program gets. */
  public static final class Builder {
    private final Path file;
    private List<String> arguments;
    private List<String> environment = List.of();
    private List<Path> readOnly = List.of();
    private Path workingDirectory = Path.of("").toAbsolutePath();
    private InputStream input;
    private OutputStream output;
    private OutputStream errors;
    private Consumer<String> diagnostics = _ -> {};
    private Consumer<String> trace;

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

    /** Files and directories of the host that it sees. */
    public Builder readOnly(List<Path> value) {
      readOnly = value;
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

    /** The program, checked. */
    public Program build() {
      return new Program(
          file,
          arguments,
          environment,
          readOnly,
          workingDirectory,
          Optional.ofNullable(input),
          Optional.ofNullable(output),
          Optional.ofNullable(errors),
          diagnostics,
          Optional.ofNullable(trace));
    }
  }
}
