package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompAction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * What minijail takes from its command line instead of the policy's text.
 *
 * @param killAction what {@code kill} is, what unnamed calls get, and calls of other architectures
 * @param dialect which of minijail's two parsers is followed where they differ
 * @param includes where included texts come from
 */
public record MinijailOptions(SeccompAction killAction, Dialect dialect, Includes includes) {

  /** Kills the process, follows minijail0(5), and includes nothing. */
  public static final MinijailOptions DEFAULT =
      new MinijailOptions(SeccompAction.KILL_PROCESS, Dialect.MINIJAIL0, Includes.NONE);

  /** Checks that nothing is missing. */
  public MinijailOptions {
    Objects.requireNonNull(killAction, "killAction");
    Objects.requireNonNull(dialect, "dialect");
    Objects.requireNonNull(includes, "includes");
  }

  /**
   * The same with another kill action.
   *
   * @param newKillAction what {@code kill} is
   * @return the options
   */
  public MinijailOptions withKillAction(SeccompAction newKillAction) {
    return new MinijailOptions(newKillAction, dialect, includes);
  }

  /**
   * The same with another dialect.
   *
   * @param newDialect which parser is followed
   * @return the options
   */
  public MinijailOptions withDialect(Dialect newDialect) {
    return new MinijailOptions(killAction, newDialect, includes);
  }

  /**
   * The same with other included texts.
   *
   * @param newIncludes where they come from
   * @return the options
   */
  public MinijailOptions withIncludes(Includes newIncludes) {
    return new MinijailOptions(killAction, dialect, newIncludes);
  }

  /** Which of minijail's parsers is followed where they differ. */
  public enum Dialect {
    /**
     * That of minijail0, described in minijail0(5): {@code EXPRESSION; return ERRNO} allows what
     * matches and refuses the rest. A call has one line.
     */
    MINIJAIL0,

    /**
     * That of compile_seccomp_policy.py: {@code EXPRESSION; return ERRNO} refuses what matches, and
     * what does not is left to the lines that follow for the same call, last to the default action.
     */
    COMPILER
  }

  /** Where included texts come from. */
  @FunctionalInterface
  public interface Includes {

    /** Refuses every file: a text of unknown origin is not to read any. */
    Includes NONE =
        (_, path) -> {
          throw new IOException("nothing may be included: " + path);
        };

    /** Files; a relative path begins at the folder of the text that includes it. */
    Includes FILES =
        (from, path) -> {
          try {
            return Files.readString(Path.of(from).resolveSibling(path));
          } catch (InvalidPathException e) {
            throw new IOException("no path: " + e.getReason(), e);
          }
        };

    /**
     * An included text.
     *
     * @param from the name of the text that includes it: {@link LoadContext#file}, or a path that
     *     was included
     * @param path what it says
     * @return the text
     * @throws IOException if there is none; the message goes into that of a FormatException
     */
    String read(String from, String path) throws IOException;
  }
}
