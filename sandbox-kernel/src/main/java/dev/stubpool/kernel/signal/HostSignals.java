package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The signal dispositions inherited by this JVM, as set by nohup(1) or a shell for a background
 * job.
 */
public final class HostSignals {
  private static final int[] INHERITED = {
    Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGTERM
  };

  private static final String IGNORED = "SigIgn:";
  private static final int HEX = 16;

  private HostSignals() {}

  /** Makes the first process ignore the signals that this JVM was started to ignore. */
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
