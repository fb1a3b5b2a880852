package dev.stubpool.cli.proc;

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

/** The folder {@code /proc}, proc(5), or one like it. */
public final class ProcFs {
  /** That of this machine. */
  public static final ProcFs SYSTEM = new ProcFs(Path.of("/proc"));

  private final Path root;

  /** A folder; for tests, one that they have made up. */
  public ProcFs(Path root) {
    this.root = root;
  }

  /** Where it keeps something of a process or a thread. */
  public Path path(int pid, String file) {
    return root.resolve(Integer.toString(pid)).resolve(file);
  }

  /**
   * The process of that number, if there is one.
   *
   * @throws IOException if it may not be looked at
   */
  public Optional<ProcessStatus> status(int pid) throws IOException {
    Optional<String> stat = read(pid, "stat");
    Optional<String> statm = read(pid, "statm");
    return stat.flatMap(text -> statm.map(memory -> ProcessStatus.parse(pid, text, memory)));
  }

  /** More about the process of that number, if there is one. */
  public Optional<StatusFields> fields(int pid) throws IOException {
    return read(pid, "status").map(StatusFields::parse);
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

  /** How long the machine has been up, suspension included. */
  public Duration uptime() throws IOException {
    String text = Files.readString(root.resolve("uptime"));
    double seconds = Double.parseDouble(text.substring(0, text.indexOf(' ')));
    return Duration.ofMillis((long) (seconds * 1000));
  }

  /**
   * The text of a process's file, empty if the process is gone. Its bytes become the first 256
   * characters of Unicode.
   */
  public Optional<String> read(int pid, String file) throws IOException {
    try {
      byte[] bytes = Files.readAllBytes(path(pid, file));
      return Optional.of(new String(bytes, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      if (isGone(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Whether a read failed because the process ended, before or after the file was opened: the
   * latter is ESRCH, for which Java has no exception.
   */
  public static boolean isGone(IOException e) {
    return e instanceof NoSuchFileException || says(e, "No such process");
  }

  /** Whether a read failed for want of a right: EACCES, or EPERM where proc hides processes. */
  public static boolean isDenied(IOException e) {
    return e instanceof AccessDeniedException || says(e, "Operation not permitted");
  }

  private static boolean says(IOException e, String reason) {
    return e.getMessage() != null && e.getMessage().contains(reason);
  }
}
