package dev.stubpool.cli;

import dev.stubpool.cli.output.Diagnostics;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Reports wrong arguments in one line, with the command for help. */
final class UsageErrors implements IParameterExceptionHandler {
  @Override
  public int handleParseException(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    String message = wrong(e).replaceAll("\\s+", " ");
    Diagnostics.print(command.getErr(), message + "; try " + name + " --help");
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  private static String wrong(ParameterException e) {
    String message = e.getMessage();
    return switch (e) {
      case UnmatchedArgumentException unmatched -> unmatched(unmatched);
      case OverwrittenOptionException twice -> label(twice.getOverwritten()) + " is given twice";
      case MissingParameterException missing when !missing.getMissing().isEmpty() ->
          missing(missing.getMissing().getFirst());
      case ParameterException invalid
          when invalid.getCause() instanceof TypeConversionException cause
              && invalid.getArgSpec() != null ->
          label(invalid.getArgSpec()) + ": " + cause.getMessage();
      default -> message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
    };
  }

  private static String missing(ArgSpec argument) {
    return argument.isOption()
        ? label(argument) + " needs a value, " + argument.paramLabel()
        : "no " + label(argument) + " given";
  }

  private static String label(ArgSpec argument) {
    return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
  }

  private static String unmatched(UnmatchedArgumentException e) {
    String argument = e.getUnmatched().getFirst();
    if (e.isUnknownOption()) {
      return "unknown option '" + argument + "'";
    }
    if (e.getCommandLine().getParent() != null) {
      return "unexpected argument '" + argument + "'";
    }
    List<String> near = e.getSuggestions();
    return "unknown command '"
        + argument
        + "'"
        + (near.isEmpty() ? "" : ", did you mean " + String.join(" or ", near) + "?");
  }
}
