package dev.stubpool.kernel.load;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The first line of a file that names its interpreter, execve(2).
 *
 * @param interpreter a path
 * @param argument what follows it, as one argument
 */
public record Script(String interpreter, Optional<String> argument) {
  /** As many bytes of a file as are looked at, BINPRM_BUF_SIZE. */
  public static final int HEADER_SIZE = 256;

  /** The interpreter that the first bytes of a file name; empty if it is no script. */
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

  /** The arguments of the interpreter, its own name first. */
  public List<String> arguments(String path, List<String> arguments) {
    List<String> all = new ArrayList<>();
    all.add(interpreter);
    argument.ifPresent(all::add);
    all.add(path);
    all.addAll(arguments.subList(Math.min(1, arguments.size()), arguments.size()));
    return all;
  }
}
