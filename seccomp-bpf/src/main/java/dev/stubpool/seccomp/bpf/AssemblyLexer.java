package dev.stubpool.seccomp.bpf;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a program's text into tokens, as {@code bpf_asm} does. Line ends are ordinary white space.
 * Comments are enclosed in {@code /}{@code * *}{@code /}, follow a semicolon, or are lines that
 * begin with a number sign.
 */
final class AssemblyLexer {

  private static final Pattern BLANK = Pattern.compile("[ \\t\\r\\n\\f]+");
  private static final Pattern WORD = Pattern.compile("\\.?[A-Za-z_][A-Za-z0-9_]*");
  private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9][A-Za-z0-9_]*");
  private static final int MAX_LENGTH = 255;
  private static final String PUNCTUATION = ":,#%[](){}+*&";

  private final String text;
  private final Matcher matcher;
  private int position;
  private int line = 1;
  private int lineStart;

  AssemblyLexer(String text) {
    this.text = text;
    this.matcher = WORD.matcher(text);
  }

  enum Kind {
    WORD,
    NUMBER,
    PUNCTUATION,
    END
  }

  /**
   * A token.
   *
   * @param kind its kind
   * @param text its text in the source
   * @param value a number's value, unsigned; 0 for other kinds
   * @param line its line, from 1
   * @param column its column, from 1
   */
  record Token(Kind kind, String text, int value, int line, int column) {

    boolean is(String expected) {
      return kind != Kind.END && text.equalsIgnoreCase(expected);
    }

    BpfSyntaxException error(String reason) {
      return new BpfSyntaxException(line, column, reason);
    }

    /** The token as error messages show it. */
    String shown() {
      return kind == Kind.END ? "the end" : "\"" + text + "\"";
    }
  }

  /** Returns the next token; after the last one, always END. */
  Token next() {
    skipBlanksAndComments();
    if (position == text.length()) {
      return new Token(Kind.END, "", 0, line, column());
    }
    if (at(WORD)) {
      requireLength();
      return token(Kind.WORD, 0);
    }
    if (at(NUMBER)) {
      requireLength();
      return token(Kind.NUMBER, value(matcher.group()));
    }
    char c = text.charAt(position);
    if (PUNCTUATION.indexOf(c) >= 0) {
      Token token = new Token(Kind.PUNCTUATION, String.valueOf(c), 0, line, column());
      position++;
      return token;
    }
    throw error(
        c > ' ' && c < 0x7f
            ? "unexpected character \"" + c + "\""
            : "unexpected character U+%04X".formatted(text.codePointAt(position)));
  }

  private Token token(Kind kind, int value) {
    Token token = new Token(kind, matcher.group(), value, line, column());
    position = matcher.end();
    return token;
  }

  private void requireLength() {
    if (matcher.end() - matcher.start() > MAX_LENGTH) {
      throw error("names and numbers have at most " + MAX_LENGTH + " characters");
    }
  }

  private void skipBlanksAndComments() {
    while (position < text.length()) {
      char c = text.charAt(position);
      if (c == ';' || (c == '#' && position == lineStart)) {
        int end = text.indexOf('\n', position);
        position = end < 0 ? text.length() : end;
      } else if (text.startsWith("/*", position)) {
        int end = text.indexOf("*/", position + 2);
        if (end < 0) {
          throw error("this comment does not end");
        }
        moveTo(end + 2);
      } else if (at(BLANK)) {
        moveTo(matcher.end());
      } else {
        return;
      }
    }
  }

  private void moveTo(int end) {
    for (int i = position; i < end; i++) {
      if (text.charAt(i) == '\n') {
        line++;
        lineStart = i + 1;
      }
    }
    position = end;
  }

  private boolean at(Pattern pattern) {
    return matcher.usePattern(pattern).region(position, text.length()).lookingAt();
  }

  private int value(String number) {
    boolean negative = number.startsWith("-");
    String digits = negative || number.startsWith("+") ? number.substring(1) : number;
    int radix = 10;
    if (digits.length() > 1 && digits.charAt(0) == '0') {
      char mark = Character.toLowerCase(digits.charAt(1));
      radix = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
      digits = digits.substring(radix == 8 ? 1 : 2);
    }
    for (int i = 0; i < digits.length(); i++) {
      if (digits.charAt(i) > 'f' || Character.digit(digits.charAt(i), radix) < 0) {
        throw error("\"" + number + "\" is not a number");
      }
    }
    if (digits.isEmpty()) {
      throw error("\"" + number + "\" is not a number");
    }
    long limit = negative ? 1L << 31 : 0xffff_ffffL;
    long value = 0;
    for (int i = 0; i < digits.length(); i++) {
      value = value * radix + Character.digit(digits.charAt(i), radix);
      if (value > limit) {
        throw error("\"" + number + "\" has more than 32 bits");
      }
    }
    return (int) (negative ? -value : value);
  }

  private int column() {
    return position - lineStart + 1;
  }

  private BpfSyntaxException error(String reason) {
    return new BpfSyntaxException(line, column(), reason);
  }
}
