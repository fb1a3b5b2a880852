package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What this JVM was started with, as a program is by its shell: nohup(1), a job in the background.
 */
public final class HostSignals {
  private static final int[] INHERITED = {
    Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGTERM
  };

  private static final String IGNORED = "SigIgn:";
  private static final int HEX = 16;

  private HostSignals() {}

  /** Has the first process ignore what this JVM ignores of the signals that users send. */
  public static void inherit(SignalActions actions) throws IOException {
    long ignored =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith(IGNORED))
            .mapToLong(
                line -> Long.parseUnsignedLong(line.substring(IGNORED.length()).strip(), HEX))
            .findFirst()
            .orElse(0);
    for (int signal : INHERITED) {
      if ((ignored & Signal.bit(signal)) != 0) {
        actions.ignore(signal);
      }
    }
  }
}
