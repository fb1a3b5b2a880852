package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.formats.MinijailLexer.Kind;
import dev.stubpool.seccomp.formats.MinijailLexer.Token;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** Parses minijail's text into a policy. For a single use. */
final class MinijailParser {
  private static final int MAX_PARENTHESES = 64;
  private static final long LOW_HALF = 0xffff_ffffL;
  private static final Map<String, String> ARCHITECTURE_ALIASES = Map.of("arm64", "aarch64");

  private final LoadContext context;
  private final MinijailOptions options;
  private final Architecture architecture;
  private final List<FormatWarning> warnings = new ArrayList<>();

  /** The filters for each call, in order. */
  private final Map<Integer, List<Filter>> filters = new LinkedHashMap<>();

  /** The location of the first line for each call. */
  private final Map<Integer, Location> firstNamed = new HashMap<>();

  private SeccompAction defaultAction;
  private boolean denylist;
  private int includes;

  private List<Token> tokens = List.of();
  private int next;

  MinijailParser(LoadContext context, MinijailOptions options) {
    this.context = context;
    this.options = options;
    this.architecture = context.architecture();
    this.defaultAction = options.killAction();
  }

  /** An action that applies if the condition holds, or always without one. */
  private record Filter(Optional<Condition> condition, SeccompAction action, Location location) {}

  LoadedPolicy parse(String text) {
    parseText(text, context.file(), 0);
    SeccompPolicy.Builder policy =
        SeccompPolicy.builder(architecture)
            .defaultAction(defaultAction)
            .badArchitectureAction(options.killAction());
    filters.forEach(
        (nr, list) ->
            list.forEach(
                filter ->
                    policy.rule(
                        nr,
                        filter.action(),
                        filter.condition().stream().toArray(Condition[]::new))));
    return new LoadedPolicy(
        policy.build(), warnings, List.of(), Optional.empty(), Optional.empty());
  }

  private void parseText(String text, String file, int depth) {
    List<List<Token>> statements = MinijailLexer.statements(text, file);
    if (depth == 0) {
      // the directive also applies to lines before it
      denylist = statements.stream().anyMatch(statement -> statement.getFirst().is("@denylist"));
      if (denylist) {
        defaultAction = SeccompAction.ALLOW;
      }
    }
    for (List<Token> statement : statements) {
      tokens = statement;
      next = 0;
      if (peek().kind() == Kind.DIRECTIVE) {
        parseDirective(file, depth);
      } else {
        parseStatement();
      }
      if (next < tokens.size()) {
        throw unexpected("nothing more in this line");
      }
    }
  }

  private void parseDirective(String file, int depth) {
    Token directive = take();
    switch (directive.text()) {
      case "@default" -> defaultAction = parseDefaultAction(directive);
      case "@denylist" -> {
        if (depth > 0) {
          throw new FormatException(
              directive.location(), "@denylist has to be in the text that includes this one");
        }
      }
      case "@include" -> {
        Token path = take(Kind.PATH, "a path that begins with / or ./");
        List<Token> rest = tokens;
        int position = next;
        parseText(included(path, file, depth), path.text(), depth + 1);
        tokens = rest;
        next = position;
      }
      case "@frequency" -> {
        take(Kind.PATH, "a path that begins with / or ./");
        warnings.add(
            new FormatWarning(directive.location(), "@frequency has no effect on the policy"));
      }
      default ->
          throw new FormatException(
              directive.location(),
              "expected @default, @denylist, @include or @frequency, found "
                  + Messages.shorten(directive.text()));
    }
  }

  private String included(Token path, String file, int depth) {
    if (depth == MinijailPolicy.MAX_INCLUDE_DEPTH) {
      throw new FormatException(
          path.location(), "texts are included more than %d deep".formatted(depth));
    }
    if (++includes > MinijailPolicy.MAX_INCLUDES) {
      throw new FormatException(
          path.location(),
          "more than %d texts are included".formatted(MinijailPolicy.MAX_INCLUDES));
    }
    try {
      return options.includes().read(file, path.text());
    } catch (IOException e) {
      FormatException failure =
          new FormatException(
              path.location(),
              "cannot include %s: %s".formatted(Messages.shorten(path.text()), e.getMessage()));
      failure.initCause(e);
      throw failure;
    }
  }

  private SeccompAction parseDefaultAction(Token directive) {
    if (denylist) {
      throw new FormatException(directive.location(), "a deny list allows what it does not name");
    }
    Token word = take(Kind.WORD, "an action");
    return switch (word.text()) {
      case "kill" -> options.killAction();
      case "kill-process" -> SeccompAction.KILL_PROCESS;
      case "kill-thread" -> SeccompAction.KILL_THREAD;
      case "trap" -> SeccompAction.TRAP;
      case "user-notify" -> SeccompAction.USER_NOTIF;
      default -> {
        next--;
        throw unexpected("kill, kill-process, kill-thread, trap or user-notify");
      }
    };
  }

  private void parseStatement() {
    List<Token> names = new ArrayList<>();
    List<Integer> calls = new ArrayList<>();
    if (peek().is("{")) {
      take();
      do {
        parseCall(names, calls);
      } while (takeIf(","));
      expect("}");
    } else {
      parseCall(names, calls);
    }
    expect(":");
    List<Filter> parsed = parseFilters();
    Set<Integer> inThisStatement = new HashSet<>();
    for (int i = 0; i < calls.size(); i++) {
      add(names.get(i), calls.get(i), parsed, !inThisStatement.add(calls.get(i)));
    }
  }

  private void add(Token name, int call, List<Filter> parsed, boolean twice) {
    Location earlier = firstNamed.putIfAbsent(call, name.location());
    List<Filter> ofCall = filters.computeIfAbsent(call, _ -> new ArrayList<>());
    if (earlier != null
        && (twice || (options.dialect() == MinijailOptions.Dialect.MINIJAIL0 && !denylist))) {
      throw new FormatException(
          name.location(),
          "%s is a duplicate, the first is %s".formatted(Messages.shorten(name.text()), earlier));
    }
    for (Filter filter : parsed) {
      if (!ofCall.isEmpty() && ofCall.getLast().condition().isEmpty()) {
        throw new FormatException(
            filter.location(),
            "this never applies to %s: it has an answer without condition in line %d"
                .formatted(Messages.shorten(name.text()), ofCall.getLast().location().line()));
      }
      ofCall.add(filter);
    }
  }

  /** Parses a call's name and the architectures to which the line applies. */
  private void parseCall(List<Token> names, List<Integer> calls) {
    Token name = peek();
    if (name.kind() != Kind.WORD && name.kind() != Kind.NUMBER) {
      throw unexpected("the name of a system call");
    }
    take();
    if (peek().is("[") && !parseMetadata()) {
      return;
    }
    OptionalInt nr = SystemCallTable.of(architecture).find(name.text());
    if (nr.isEmpty() || !architecture.owns(nr.getAsInt())) {
      throw new FormatException(
          name.location(),
          "%s has no system call \"%s\""
              .formatted(architecture.label(), Messages.shorten(name.text())));
    }
    names.add(name);
    calls.add(nr.getAsInt());
  }

  /** Parses metadata; returns whether the line applies to this architecture. */
  private boolean parseMetadata() {
    expect("[");
    boolean own = true;
    Set<String> keys = new HashSet<>();
    do {
      Token key = take(Kind.WORD, "a key");
      if (!keys.add(key.text())) {
        throw new FormatException(
            key.location(), "\"%s\" is a duplicate".formatted(Messages.shorten(key.text())));
      }
      expect("=");
      Set<String> values = new HashSet<>();
      do {
        String value = take(Kind.WORD, "a value").text();
        values.add(ARCHITECTURE_ALIASES.getOrDefault(value, value));
      } while (takeIf(","));
      if (key.is("arch")) {
        own = values.contains(architecture.label());
      } else {
        warnings.add(
            new FormatWarning(
                key.location(),
                "\"%s\" is unknown here: ignored".formatted(Messages.shorten(key.text()))));
      }
    } while (takeIf(";"));
    expect("]");
    return own;
  }

  private List<Filter> parseFilters() {
    Location location = peek().location();
    List<Filter> parsed = new ArrayList<>();
    if (takeIf("{")) {
      do {
        parsed.add(parseFilter());
      } while (takeIf(","));
      expect("}");
    } else if (isArgument(peek())
        && options.dialect() == MinijailOptions.Dialect.MINIJAIL0
        && !denylist) {
      parsed.add(new Filter(Optional.of(parseExpression()), SeccompAction.ALLOW, location));
      if (peek().is(";")) {
        Location semicolon = take().location();
        if (!peek().is("return")) {
          throw unexpected("return; other answers to what matches stand in braces");
        }
        warnings.add(
            new FormatWarning(
                semicolon,
                "what matches is allowed, the rest refused; minijail's compiler reads it the other"
                    + " way round"));
        parsed.add(new Filter(Optional.empty(), parseAction(), semicolon));
      }
    } else {
      parsed.add(parseFilter());
    }
    return parsed;
  }

  private Filter parseFilter() {
    Location location = peek().location();
    if (!isArgument(peek())) {
      return new Filter(Optional.empty(), parseAction(), location);
    }
    Condition condition = parseExpression();
    SeccompAction action = takeIf(";") ? parseAction() : permit(location);
    return new Filter(Optional.of(condition), action, location);
  }

  private SeccompAction permit(Location location) {
    if (denylist) {
      throw new FormatException(location, "in a deny list every line has a return");
    }
    return SeccompAction.ALLOW;
  }

  private SeccompAction parseAction() {
    Token token = peek();
    if (denylist && !token.is("return")) {
      throw unexpected("return: this is a deny list");
    }
    take();
    if (token.kind() == Kind.WORD || token.is("1")) {
      switch (token.text()) {
        case "1", "allow" -> {
          return SeccompAction.ALLOW;
        }
        case "kill" -> {
          return options.killAction();
        }
        case "kill-process" -> {
          return SeccompAction.KILL_PROCESS;
        }
        case "kill-thread" -> {
          return SeccompAction.KILL_THREAD;
        }
        case "trap" -> {
          return SeccompAction.TRAP;
        }
        case "trace" -> {
          return SeccompAction.trace(0);
        }
        case "log" -> {
          return SeccompAction.LOG;
        }
        case "user-notify" -> {
          return SeccompAction.USER_NOTIF;
        }
        case "return" -> {
          return parseErrno();
        }
        default -> {} // an error, below
      }
    }
    next--;
    throw unexpected(
        "1, allow, return, kill, kill-process, kill-thread, trap, trace, log,"
            + " user-notify or a condition on arg0 to arg5");
  }

  private SeccompAction parseErrno() {
    Location location = peek().location();
    long errno = parseConstant(0);
    if (Long.compareUnsigned(errno, SeccompAction.MAX_ERRNO) > 0) {
      throw new FormatException(
          location,
          "an errno is 0 to %d, not %s"
              .formatted(SeccompAction.MAX_ERRNO, Long.toUnsignedString(errno)));
    }
    return SeccompAction.errno((int) errno);
  }

  private static boolean isArgument(Token token) {
    return token.kind() == Kind.WORD && token.text().matches("arg[0-9]+");
  }

  private Condition parseExpression() {
    List<Condition> alternatives = new ArrayList<>();
    do {
      List<Condition> all = new ArrayList<>();
      do {
        all.add(parseAtom());
      } while (takeIf("&&"));
      alternatives.add(all.size() == 1 ? all.getFirst() : new Condition.All(all));
    } while (takeIf("||"));
    return alternatives.size() == 1 ? alternatives.getFirst() : new Condition.Any(alternatives);
  }

  private Condition parseAtom() {
    Token argument = peek();
    if (!isArgument(argument) || argument.text().length() != 4 || argument.text().charAt(3) > '5') {
      throw unexpected("arg0 to arg5");
    }
    take();
    Condition.Subject subject = Condition.argument(argument.text().charAt(3) - '0');
    if (architecture.bits() == Integer.SIZE) {
      subject = subject.low32();
    }
    Token operator = take();
    Location location = peek().location();
    return switch (operator.text()) {
      case "==" -> subject.equalTo(parseValue());
      case "!=" -> subject.notEqualTo(parseValue());
      case "<" -> subject.lessThan(parseValue());
      case "<=" -> subject.lessOrEqual(parseValue());
      case ">" -> subject.greaterThan(parseValue());
      case ">=" -> subject.greaterOrEqual(parseValue());
      case "in" -> subject.onlyBits(parseValue());
      case "&" -> {
        long mask = parseValue();
        if (mask == 0) {
          warnings.add(new FormatWarning(location, "none of no bits is ever set"));
        }
        yield Condition.not(subject.maskedEqualTo(mask, 0));
      }
      default -> {
        next--;
        throw unexpected("==, !=, <, <=, >, >=, & or in");
      }
    };
  }

  private long parseValue() {
    return parseValue(0);
  }

  private long parseValue(int depth) {
    long value = 0;
    do {
      value |= parseConstant(depth);
    } while (takeIf("|"));
    return value;
  }

  private long parseConstant(int depth) {
    boolean complement = takeIf("~");
    Token token = peek();
    long value;
    if (token.is("(")) {
      if (depth == MAX_PARENTHESES) {
        throw new FormatException(
            token.location(), "more than %d parentheses in each other".formatted(depth));
      }
      take();
      value = parseValue(depth + 1);
      expect(")");
    } else if (token.kind() == Kind.NUMBER) {
      value = number(take());
    } else if (token.kind() == Kind.WORD) {
      value = constant(take());
    } else {
      throw unexpected("a value");
    }
    return truncate(complement ? ~value : value);
  }

  private long truncate(long value) {
    return architecture.bits() == Integer.SIZE ? value & LOW_HALF : value;
  }

  private long constant(Token token) {
    if (!Constants.areKnown(architecture)) {
      throw new FormatException(
          token.location(), "the constants of %s are not known".formatted(architecture.label()));
    }
    OptionalLong value = Constants.find(architecture, token.text());
    if (value.isEmpty()) {
      throw new FormatException(
          token.location(),
          "no constant \"%s\" of %s is known"
              .formatted(Messages.shorten(token.text()), architecture.label()));
    }
    return value.getAsLong();
  }

  /** Parses a number in C notation; a negative number gives its two's complement. */
  private long number(Token token) {
    boolean negative = token.text().startsWith("-");
    String digits = negative ? token.text().substring(1) : token.text();
    int radix = 10;
    if (digits.startsWith("0x") || digits.startsWith("0X")) {
      digits = digits.substring(2);
      radix = 16;
    } else if (digits.startsWith("0") && digits.length() > 1) {
      radix = 8;
    }
    int bits = architecture.bits();
    try {
      long magnitude = Long.parseUnsignedLong(digits, radix);
      long max = negative ? 1L << (bits - 1) : -1L >>> (Long.SIZE - bits);
      if (Long.compareUnsigned(magnitude, max) <= 0 && !digits.startsWith("-")) {
        return truncate(negative ? -magnitude : magnitude);
      }
    } catch (NumberFormatException e) {
      throw noNumber(token, bits);
    }
    throw noNumber(token, bits);
  }

  private static FormatException noNumber(Token token, int bits) {
    return new FormatException(
        token.location(),
        "expected a number of %d bits, found %s".formatted(bits, Messages.shorten(token.text())));
  }

  private Token peek() {
    if (next < tokens.size()) {
      return tokens.get(next);
    }
    Token last = tokens.getLast();
    Location end =
        new Location(
            last.location().file(),
            last.location().line(),
            last.location().column() + last.text().length());
    return new Token(Kind.SIGN, "", end);
  }

  private Token take() {
    Token token = peek();
    next++;
    return token;
  }

  private Token take(Kind kind, String what) {
    if (peek().kind() != kind) {
      throw unexpected(what);
    }
    return take();
  }

  private boolean takeIf(String sign) {
    if (peek().is(sign)) {
      next++;
      return true;
    }
    return false;
  }

  private void expect(String sign) {
    if (!takeIf(sign)) {
      throw unexpected(sign);
    }
  }

  private FormatException unexpected(String expected) {
    Token token = peek();
    return new FormatException(
        token.location(),
        "expected %s, found %s"
            .formatted(
                expected,
                token.text().isEmpty()
                    ? "the end of the line"
                    : "\"" + Messages.shorten(token.text()) + "\""));
  }
}
