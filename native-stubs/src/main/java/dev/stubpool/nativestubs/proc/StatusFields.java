package dev.stubpool.nativestubs.proc;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A snapshot of {@code /proc/PID/status}, proc_pid_status(5). */
public final class StatusFields {
  private static final int SECCOMP_FILTERED = 2;
  private static final int EFFECTIVE_USER = 1;

  private final Map<String, String> fields;

  private StatusFields(Map<String, String> fields) {
    this.fields = fields;
  }

  static StatusFields parse(String status) {
    Map<String, String> fields = new HashMap<>();
    for (String line : status.split("\n", -1)) {
      int colon = line.indexOf(':');
      if (colon >= 0) {
        // The first wins, in case a name with a line end is not escaped.
        fields.putIfAbsent(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    return new StatusFields(fields);
  }

  /** The process's number in the pid namespace of that {@code /proc}. */
  public Optional<Integer> pid() {
    return field("Pid").map(Integer::valueOf);
  }

  /** The thread that traces the process, 0 if none does. */
  public int tracer() {
    return field("TracerPid").map(Integer::parseInt).orElse(0);
  }

  /**
   * The process's pid in each of its pid namespaces, from that of {@code /proc} to its own,
   * pid_namespaces(7). Empty if it is dead.
   */
  public List<Integer> pids() {
    return field("NSpid").stream().flatMap(StatusFields::words).map(Integer::valueOf).toList();
  }

  /** The effective user id. */
  public Optional<Integer> user() {
    return field("Uid")
        .flatMap(ids -> words(ids).skip(EFFECTIVE_USER).findFirst())
        .map(Integer::valueOf);
  }

  /** The CPUs that the process may run on, such as {@code 0-3,8}. */
  public Optional<String> cpus() {
    return field("Cpus_allowed_list");
  }

  /** The CPU to which the process is bound, if it is a single one. */
  public Optional<Integer> onlyCpu() {
    return cpus().filter(list -> list.chars().allMatch(Character::isDigit)).map(Integer::parseInt);
  }

  /** Whether a seccomp filter checks its system calls. */
  public boolean isFiltered() {
    return field("Seccomp").filter(Integer.toString(SECCOMP_FILTERED)::equals).isPresent();
  }

  /** The number of its seccomp filters; empty before Linux 5.9. */
  public Optional<Integer> filters() {
    return field("Seccomp_filters").map(Integer::valueOf);
  }

  /** Whether no_new_privs is set, PR_SET_NO_NEW_PRIVS(2const). */
  public boolean hasNoNewPrivileges() {
    return field("NoNewPrivs").filter("1"::equals).isPresent();
  }

  /** Its capability sets by name, capabilities(7), each a mask. */
  public Map<String, Long> capabilities() {
    Map<String, Long> sets = new LinkedHashMap<>();
    sets.put("permitted", mask("CapPrm"));
    sets.put("effective", mask("CapEff"));
    sets.put("inheritable", mask("CapInh"));
    sets.put("ambient", mask("CapAmb"));
    sets.put("bounding", mask("CapBnd"));
    return sets;
  }

  /** Pending signals of the process and its first thread. */
  public SignalSet pendingSignals() {
    return new SignalSet(mask("SigPnd") | mask("ShdPnd"));
  }

  /** Blocked signals of its first thread. */
  public SignalSet blockedSignals() {
    return new SignalSet(mask("SigBlk"));
  }

  private long mask(String name) {
    return field(name).map(text -> Long.parseUnsignedLong(text, 16)).orElse(0L);
  }

  private Optional<String> field(String name) {
    return Optional.ofNullable(fields.get(name));
  }

  private static Stream<String> words(String text) {
    return Arrays.stream(text.split("\\s+", -1)).filter(word -> !word.isEmpty());
  }
}
