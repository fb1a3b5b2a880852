package dev.stubpool.kernel;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A program and what it gets, the same on the host and in the kernel.
 *
 * @param words its path, then its arguments
 * @param environment entries {@code NAME=value}
 * @param input its standard input, a byte for each character
 * @param directory where its relative paths begin
 */
record Command(List<String> words, List<String> environment, String input, Path directory) {

  /** A command without environment and input, in the root directory. */
  static Command of(Path program, List<String> arguments) {
    List<String> words = new ArrayList<>(List.of(program.toString()));
    words.addAll(arguments);
    return new Command(List.copyOf(words), List.of(), "", Path.of("/"));
  }

  static Command of(Path program, String... arguments) {
    return of(program, List.of(arguments));
  }

  Command environment(String... value) {
    return new Command(words, List.of(value), input, directory);
  }

  Command input(String value) {
    return new Command(words, environment, value, directory);
  }

  Command directory(Path value) {
    return new Command(words, environment, input, value);
  }

  Path program() {
    return Path.of(words.getFirst());
  }

  @Override
  public String toString() {
    return String.join(" ", words);
  }
}
