package dev.stubpool.cli.proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A process as {@code /proc/PID/stat} tells of it at one moment, proc_pid_stat(5).
 *
 * @param pid its number, which another process may have later
 * @param comm its name, at most 15 characters
 * @param state one letter, such as {@code t} for stopped by its tracer
 * @param parent the pid of its parent
 * @param startTime when it started, in clock ticks since boot; tells processes of one pid apart
 */
public record ProcessStatus(int pid, String comm, char state, int parent, long startTime) {
  /** The name that the library gives all stubs. */
  public static final String STUB_COMM = "stubpool-stub";

  private static final int STATE = 0;
  private static final int PARENT = 1;
  private static final int START_TIME = 19;

  /** Whether it has the name of a stub. */
  public boolean isNamedStub() {
    return comm.equals(STUB_COMM);
  }

  /**
   * The process of that number, if there is one.
   *
   * @throws IOException if it may not be looked at
   */
  public static Optional<ProcessStatus> of(int pid) throws IOException {
    return read(pid, "stat").map(text -> parse(pid, text));
  }

  /** All processes that can be seen. */
  public static List<ProcessStatus> all() throws IOException {
    List<ProcessStatus> all = new ArrayList<>();
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        String name = entry.getFileName().toString();
        if (Character.isDigit(name.charAt(0))) {
          of(Integer.parseInt(name)).ifPresent(all::add);
        }
      }
    }
    return all;
  }

  /**
   * The thread that traces the process, 0 if none does: {@code TracerPid} of proc_pid_status(5).
   */
  public int tracer() throws IOException {
    return field("TracerPid").map(Integer::parseInt).orElse(0);
  }

  /** The CPU that the process is bound to, if it is one: {@code Cpus_allowed_list}. */
  public Optional<Integer> onlyCpu() throws IOException {
    return field("Cpus_allowed_list")
        .filter(cpus -> cpus.chars().allMatch(Character::isDigit))
        .map(Integer::parseInt);
  }

  private Optional<String> field(String name) throws IOException {
    return read(pid, "status").stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }

  /** The state in a word. */
  public String stateWord() {
    return switch (state) {
      case 'R' -> "running";
      case 'S' -> "sleeping";
      case 'D' -> "in the kernel";
      case 'T' -> "stopped";
      case 't' -> "stopped by its tracer";
      case 'Z' -> "dead, not yet reaped";
      default -> "state " + state;
    };
  }

  private static Optional<String> read(int pid, String file) throws IOException {
    try {
      byte[] bytes = Files.readAllBytes(Path.of("/proc/" + pid + "/" + file));
      return Optional.of(new String(bytes, StandardCharsets.ISO_8859_1));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (isGone(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Whether a read failed because the process ended after the file was opened: ESRCH, for which
   * Java has no exception.
   */
  public static boolean isGone(IOException e) {
    return e instanceof NoSuchFileException
        || (e.getMessage() != null && e.getMessage().contains("No such process"));
  }

  /** {@code 17 (a name) t 1 ...}; the name may hold anything, parentheses too. */
  static ProcessStatus parse(int pid, String stat) {
    int end = stat.lastIndexOf(')');
    String[] field = stat.substring(end + 2).strip().split(" ", -1);
    return new ProcessStatus(
        pid,
        stat.substring(stat.indexOf('(') + 1, end),
        field[STATE].charAt(0),
        Integer.parseInt(field[PARENT]),
        Long.parseLong(field[START_TIME]));
  }
}
