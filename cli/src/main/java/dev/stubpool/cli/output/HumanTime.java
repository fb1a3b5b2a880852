package dev.stubpool.cli.output;

import java.time.Duration;
import java.util.Locale;

/** Formats durations: {@code 3.2s}, {@code 4m10s}, {@code 5h07m}, {@code 12d03h}. */
public final class HumanTime {
  private HumanTime() {}

  /** Formats a duration, truncated after its second unit or after tenths of a second. */
  public static String of(Duration time) {
    if (time.toMinutes() == 0) {
      return time.toSeconds() + "." + time.toMillisPart() / 100 + "s";
    }
    if (time.toHours() == 0) {
      return pair(time.toMinutes(), "m", time.toSecondsPart(), "s");
    }
    if (time.toDays() == 0) {
      return pair(time.toHours(), "h", time.toMinutesPart(), "m");
    }
    return pair(time.toDays(), "d", time.toHoursPart(), "h");
  }

  private static String pair(long many, String unit, int few, String smallerUnit) {
    return String.format(Locale.ROOT, "%d%s%02d%s", many, unit, few, smallerUnit);
  }
}
