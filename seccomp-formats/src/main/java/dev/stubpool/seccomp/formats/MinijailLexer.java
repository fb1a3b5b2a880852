package dev.stubpool.seccomp.formats;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Splits the text of a policy into statements, and these into tokens. */
final class MinijailLexer {

  /** The kind of a token. */
  enum Kind {
    /** A name, a key word, or an action. */
    WORD,
    NUMBER,
    /** {@code @include} and others. */
    DIRECTIVE,
    /** The path of a file; begins with / or ./ */
    PATH,
    /** An operator or a punctuation mark. */
    SIGN
  }

  /** A part of a statement. */
  record Token(Kind kind, String text, Location location) {
    boolean is(String sign) {
      return text.equals(sign) && kind != Kind.PATH;
    }
  }

  private static final Pattern TOKEN =
      Pattern.compile(
          """
          (?<SPACE>[ \\t\\r\\f]+|\\#.*)\
          |(?<DIRECTIVE>@[a-z]++)\
          |(?<PATH>\\.?/\\S++)\
          |(?<NUMBER>-?[0-9][0-9A-Za-z_]*+)\
          |(?<WORD>[A-Za-z_][A-Za-z_0-9@-]*+)\
          |(?<SIGN>\\|\\||&&|==|!=|<=|>=|[:;,~(){}\\[\\]|&<>=])\
          """);

  private MinijailLexer() {}

  /**
   * The statements of a text, each with at least one token.
   *
   * @throws FormatException if there is an illegal character
   */
  static List<List<Token>> statements(String text, String file) {
    if (text.length() > MinijailPolicy.MAX_LENGTH) {
      throw new FormatException(
          new Location(file, 1, 1),
          "the text has %d characters, more than %d"
              .formatted(text.length(), MinijailPolicy.MAX_LENGTH));
    }
    List<List<Token>> statements = new ArrayList<>();
    List<Token> tokens = new ArrayList<>();
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      String line =
          lines[i].endsWith("\r") ? lines[i].substring(0, lines[i].length() - 1) : lines[i];
      boolean continued = line.endsWith("\\");
      scan(line, continued ? line.length() - 1 : line.length(), file, i + 1, tokens);
      if (!continued && !tokens.isEmpty()) {
        statements.add(List.copyOf(tokens));
        tokens.clear();
      }
    }
    if (!tokens.isEmpty()) {
      statements.add(tokens);
    }
    return statements;
  }

  private static void scan(String line, int end, String file, int number, List<Token> tokens) {
    Matcher matcher = TOKEN.matcher(line).region(0, end);
    int column = 0;
    while (column < end) {
      Location location = new Location(file, number, column + 1);
      if (!matcher.lookingAt()) {
        int c = line.codePointAt(column);
        throw new FormatException(
            location,
            "expected a word, a number or an operator, found %s"
                .formatted(
                    Character.isISOControl(c) ? "\\u%04x".formatted(c) : Character.toString(c)));
      }
      if (matcher.group("SPACE") == null) {
        tokens.add(new Token(kind(matcher), matcher.group(), location));
      } else if (end < line.length() && line.charAt(column) == '#') {
        throw new FormatException(
            location, "a comment cannot be continued: minijail's parsers disagree on what follows");
      }
      column = matcher.end();
      matcher.region(column, end);
    }
  }

  private static Kind kind(Matcher matcher) {
    for (Kind kind : Kind.values()) {
      if (matcher.group(kind.name()) != null) {
        return kind;
      }
    }
    throw new AssertionError("no kind of token: " + matcher.group());
  }
}
