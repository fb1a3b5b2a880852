package dev.stubpool.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Starts the command in a JVM of its own, as this one runs it: from modules or from a class path.
 */
public final class ChildCommand {
  private ChildCommand() {}

  /** Starts it; standard error goes where that of the tests goes. */
  public static Process start(List<String> prefix, String... arguments) throws IOException {
    return under(prefix, arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  /** Starts it, its standard error to a file. */
  public static Process start(Path err, String... arguments) throws IOException {
    return under(List.of(), arguments).redirectError(err.toFile()).start();
  }

  /** Runs it to its end; what it prints, standard error too. */
  public static String output(List<String> prefix, String... arguments) throws IOException {
    Process process = under(prefix, arguments).redirectErrorStream(true).start();
    process.getOutputStream().close();
    try (BufferedReader out = process.inputReader()) {
      return out.readAllAsString();
    } finally {
      process.destroyForcibly();
    }
  }

  /**
   * The command, not started yet.
   *
   * @param prefix a command to run it under, or nothing
   */
  private static ProcessBuilder under(List<String> prefix, String... arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.add("-XX:TieredStopAtLevel=1");
    command.add("--illegal-native-access=deny");
    Module module = Main.class.getModule();
    if (module.isNamed()) {
      command.add("--enable-native-access=dev.stubpool.nativestubs");
      command.add("-p");
      command.add(System.getProperty("jdk.module.path"));
      command.add("-m");
      command.add(module.getName() + "/" + Main.class.getName());
    } else {
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add("-cp");
      command.add(System.getProperty("java.class.path"));
      command.add(Main.class.getName());
    }
    command.addAll(Arrays.asList(arguments));
    return new ProcessBuilder(command);
  }
}
