package dev.stubpool.nativestubs.proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The file system {@code /proc}, proc(5), or a directory with the same layout. */
public final class ProcFs {
  /** The file system of this machine. */
  public static final ProcFs SYSTEM = new ProcFs(Path.of("/proc"));

  private final Path root;

  /** Uses another root directory, for tests. */
  public ProcFs(Path root) {
    this.root = root;
  }

  /** The path of a file of a process or thread. */
  public Path path(int pid, String file) {
    return root.resolve(Integer.toString(pid)).resolve(file);
  }

  /**
   * Reads a process's stat, if the process exists.
   *
   * @throws IOException if it is not readable
   */
  public Optional<ProcessStatus> status(int pid) throws IOException {
    Optional<String> stat = read(pid, "stat");
    Optional<String> statm = read(pid, "statm");
    return stat.flatMap(text -> statm.map(memory -> ProcessStatus.parse(pid, text, memory)));
  }

  /** Reads a process's status file, if the process exists. */
  public Optional<StatusFields> fields(int pid) throws IOException {
    return read(pid, "status").map(StatusFields::parse);
  }

  /**
   * More about this process, by the link {@code self}, whatever its number is there.
   *
   * @throws IOException if this is not the /proc of a pid namespace that the process is in, or it
   *     cannot be read
   */
  public StatusFields ownFields() throws IOException {
    return StatusFields.parse(text(root.resolve("self/status")));
  }

  /** All processes that may be looked at. */
  public List<ProcessStatus> all() throws IOException {
    List<ProcessStatus> all = new ArrayList<>();
    try (Stream<Path> entries = Files.list(root)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        String name = entry.getFileName().toString();
        if (Character.isDigit(name.charAt(0))) {
          try {
            status(Integer.parseInt(name)).ifPresent(all::add);
          } catch (IOException e) {
            if (!isDenied(e)) {
              throw e;
            }
          }
        }
      }
    }
    return all;
  }

  /** The time since boot, suspension included. */
  public Duration uptime() throws IOException {
    String text = Files.readString(root.resolve("uptime"));
    double seconds = Double.parseDouble(text.substring(0, text.indexOf(' ')));
    return Duration.ofMillis((long) (seconds * 1000));
  }

  /** Reads a file of a process as ISO 8859-1 text; empty if the process is gone. */
  public Optional<String> read(int pid, String file) throws IOException {
    try {
      return Optional.of(text(path(pid, file)));
    } catch (IOException e) {
      if (isGone(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static String text(Path path) throws IOException {
    return new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1);
  }

  /**
   * Whether a read failed because the process ended, before or after the file was opened: the
   * latter is ESRCH, for which Java has no exception.
   */
  public static boolean isGone(IOException e) {
    return e instanceof NoSuchFileException || says(e, "No such process");
  }

  /**
   * Whether a read failed for lack of permission: EACCES, or EPERM if proc is mounted with hidepid.
   */
  public static boolean isDenied(IOException e) {
    return e instanceof AccessDeniedException || says(e, "Operation not permitted");
  }

  private static boolean says(IOException e, String reason) {
    return e.getMessage() != null && e.getMessage().contains(reason);
  }
}
