package dev.stubpool.cli.run;

import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/** Takes an option's value only if it is attached by {@code =}, never from the next argument. */
final class AttachedOnly implements IParameterPreprocessor {
  /** The value of an option without one. */
  static final String NONE = "";

  @Override
  public boolean preprocess(
      Stack<String> arguments, CommandSpec command, ArgSpec option, Map<String, Object> info) {
    if (" ".equals(info.get("separator"))) {
      arguments.push(NONE);
    }
    return false;
  }
}
