package dev.stubpool.kernel.load;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The first line of a script, which names its interpreter, execve(2).
 *
 * @param interpreter the interpreter's path
 * @param argument the rest of the line, as one argument
 */
public record Script(String interpreter, Optional<String> argument) {
  /** The number of bytes of a file that are examined, BINPRM_BUF_SIZE. */
  public static final int HEADER_SIZE = 256;

  /** Parses the first bytes of a file; empty if it is not a script. */
  public static Optional<Script> parse(byte[] header) {
    String text = new String(header, StandardCharsets.UTF_8);
    if (!text.startsWith("#!")) {
      return Optional.empty();
    }
    int end = text.indexOf('\n');
    String line = text.substring(2, end < 0 ? text.length() : end).strip();
    if (line.isEmpty()) {
      return Optional.empty();
    }
    String[] words = line.split("[ \t]+", 2);
    return Optional.of(
        new Script(words[0], words.length > 1 ? Optional.of(words[1]) : Optional.empty()));
  }

  /** The arguments of the interpreter, beginning with its own name. */
  public List<String> arguments(String path, List<String> arguments) {
    List<String> all = new ArrayList<>();
    all.add(interpreter);
    argument.ifPresent(all::add);
    all.add(path);
    all.addAll(arguments.subList(Math.min(1, arguments.size()), arguments.size()));
    return all;
  }
}
