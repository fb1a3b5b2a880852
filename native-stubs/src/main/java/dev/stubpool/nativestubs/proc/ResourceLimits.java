package dev.stubpool.nativestubs.proc;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The limits of a process, {@code /proc/PID/limits}, proc_pid_limits(5). */
public final class ResourceLimits {
  /** A line such as {@code Max core file size 0 unlimited bytes}; a name has single spaces. */
  private static final Pattern LINE =
      Pattern.compile("Max (?<name>\\S+(?: \\S+)*) {2,}(?<soft>\\S+) +(?<hard>\\S+)(?: .*)?");

  /**
   * A limit.
   *
   * @param soft the limit in force
   * @param hard the maximum to which the process may raise it
   */
  public record Limit(String soft, String hard) {}

  private final Map<String, Limit> limits;

  private ResourceLimits(Map<String, Limit> limits) {
    this.limits = limits;
  }

  /** Parses the file's text. */
  public static ResourceLimits parse(String text) {
    Map<String, Limit> limits = new LinkedHashMap<>();
    text.lines()
        .map(LINE::matcher)
        .filter(Matcher::matches)
        .forEach(m -> limits.put(m.group("name"), new Limit(m.group("soft"), m.group("hard"))));
    return new ResourceLimits(limits);
  }

  /** The limits that differ from another process's. */
  public Map<String, Limit> differentFrom(ResourceLimits other) {
    Map<String, Limit> different = new LinkedHashMap<>(limits);
    different.entrySet().removeAll(other.limits.entrySet());
    return different;
  }
}
