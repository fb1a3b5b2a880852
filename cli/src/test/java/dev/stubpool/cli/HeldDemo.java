package dev.stubpool.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code demo --hold} in a JVM of its own, resting while its stubs live. */
public final class HeldDemo implements AutoCloseable {
  private static final Pattern HOLDING =
      Pattern.compile("\\s+holding\\. JVM (\\d+), source (\\d+), stubs:");

  private final Process process;
  private final BufferedReader out;
  private final int jvm;
  private final int source;
  private final List<Integer> stubs = new ArrayList<>();

  private HeldDemo(Process process) throws IOException {
    this.process = process;
    this.out = process.inputReader();
    Matcher holding;
    do {
      String line = out.readLine();
      assertThat(line).as("output before the hold").isNotNull();
      holding = HOLDING.matcher(line);
    } while (!holding.matches());
    jvm = Integer.parseInt(holding.group(1));
    source = Integer.parseInt(holding.group(2));
    Arrays.stream(out.readLine().strip().split(" ")).map(Integer::valueOf).forEach(stubs::add);
  }

  /**
   * Starts it, and waits until it rests.
   *
   * @param stubs few enough for one line
   * @param prefix a command to run it under
   */
  public static HeldDemo start(int stubs, String... prefix) throws IOException {
    Process process =
        ChildCommand.start(List.of(prefix), "demo", "--stubs", Integer.toString(stubs), "--hold");
    try {
      return new HeldDemo(process);
    } catch (IOException | AssertionError e) {
      process.destroyForcibly();
      throw e;
    }
  }

  /** The process that was started. */
  public Process process() {
    return process;
  }

  /** What it prints from now on. */
  public BufferedReader out() {
    return out;
  }

  /** The JVM, by its own word, as all pids. */
  public int jvm() {
    return jvm;
  }

  /** Its source stub. */
  public int source() {
    return source;
  }

  /** All other stubs of its. */
  public List<Integer> stubs() {
    return stubs;
  }

  /** Kills it and waits for its end. */
  @Override
  public void close() {
    try {
      process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
