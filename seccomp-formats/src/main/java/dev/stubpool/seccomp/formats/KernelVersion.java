package dev.stubpool.seccomp.formats;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Linux version as in profiles: major and minor number.
 *
 * @param major the first number, such as 6 of 6.18
 * @param minor the second number, such as 18 of 6.18
 */
public record KernelVersion(int major, int minor) implements Comparable<KernelVersion> {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,6})\\.(\\d{1,6})");

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is negative
   */
  public KernelVersion {
    if (major < 0 || minor < 0) {
      throw new IllegalArgumentException("no kernel version: " + major + "." + minor);
    }
  }

  /**
   * Parses a version.
   *
   * @param text two numbers separated by a point
   * @return the version
   * @throws IllegalArgumentException if the text is not a version
   */
  public static KernelVersion parse(String text) {
    return find(text)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "a kernel version is two numbers such as 6.18: \"" + text + "\""));
  }

  static Optional<KernelVersion> find(String text) {
    Matcher matcher = TEXT.matcher(text);
    return matcher.matches()
        ? Optional.of(
            new KernelVersion(
                Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))))
        : Optional.empty();
  }

  @Override
  public int compareTo(KernelVersion other) {
    return Comparator.comparingInt(KernelVersion::major)
        .thenComparingInt(KernelVersion::minor)
        .compare(this, other);
  }

  /**
   * The version as text.
   *
   * @return such as {@code 6.18}
   */
  @Override
  public String toString() {
    return major + "." + minor;
  }
}
