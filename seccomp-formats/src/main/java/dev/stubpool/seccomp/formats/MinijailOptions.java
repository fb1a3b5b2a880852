package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompAction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Settings that minijail takes from its command line instead of the policy's text.
 *
 * @param killAction the action for {@code kill}, for unnamed calls, and for calls of other
 *     architectures
 * @param dialect which of minijail's two parsers to follow where they differ
 * @param includes how included texts are found
 */
public record MinijailOptions(SeccompAction killAction, Dialect dialect, Includes includes) {

  /** Kills the process, follows minijail0(5), and refuses includes. */
  public static final MinijailOptions DEFAULT =
      new MinijailOptions(SeccompAction.KILL_PROCESS, Dialect.MINIJAIL0, Includes.NONE);

  /** Checks that no component is null. */
  public MinijailOptions {
    Objects.requireNonNull(killAction, "killAction");
    Objects.requireNonNull(dialect, "dialect");
    Objects.requireNonNull(includes, "includes");
  }

  /**
   * Returns the options with another kill action.
   *
   * @param newKillAction the action for {@code kill}
   * @return the options
   */
  public MinijailOptions withKillAction(SeccompAction newKillAction) {
    return new MinijailOptions(newKillAction, dialect, includes);
  }

  /**
   * Returns the options with another dialect.
   *
   * @param newDialect the parser to follow
   * @return the options
   */
  public MinijailOptions withDialect(Dialect newDialect) {
    return new MinijailOptions(killAction, newDialect, includes);
  }

  /**
   * Returns the options with another source of included texts.
   *
   * @param newIncludes how they are found
   * @return the options
   */
  public MinijailOptions withIncludes(Includes newIncludes) {
    return new MinijailOptions(killAction, dialect, newIncludes);
  }

  /** The parser of minijail to follow where the two differ. */
  public enum Dialect {
    /**
     * The parser of minijail0, described in minijail0(5): {@code EXPRESSION; return ERRNO} allows
     * calls that match and refuses the others. A call has one line.
     */
    MINIJAIL0,

    /**
     * The parser of compile_seccomp_policy.py: {@code EXPRESSION; return ERRNO} refuses calls that
     * match; others are left to later lines for the same call, finally to the default action.
     */
    COMPILER
  }

  /** The source of included texts. */
  @FunctionalInterface
  public interface Includes {

    /** Refuses all includes, so that a text of unknown origin cannot read files. */
    Includes NONE =
        (_, path) -> {
          throw new IOException("nothing may be included: " + path);
        };

    /** Reads files; a relative path starts at the directory of the including text. */
    Includes FILES =
        (from, path) -> {
          try {
            return Files.readString(Path.of(from).resolveSibling(path));
          } catch (InvalidPathException e) {
            throw new IOException("no path: " + e.getReason(), e);
          }
        };

    /**
     * Reads an included text.
     *
     * @param from the name of the including text: {@link LoadContext#file}, or the path of an
     *     included text
     * @param path the path in the include directive
     * @return the text
     * @throws IOException if it cannot be read; the message becomes part of that of a
     *     FormatException
     */
    String read(String from, String path) throws IOException;
  }
}
