package dev.stubpool.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** A version 1 pids cgroup: the processes in it are no more than its limit. */
public final class PidsCgroup implements AutoCloseable {
  private final Path path =
      Path.of("/sys/fs/cgroup/pids/stubpool-test-" + ProcessHandle.current().pid());

  /** Makes one without a limit, or skips the test. */
  public PidsCgroup() {
    try {
      Files.createDirectory(path);
    } catch (IOException e) {
      Assumptions.abort("needs root and a version 1 pids cgroup: " + e);
    }
  }

  /** Where it is, for {@link #limit(Path, int)} by a process in it. */
  public Path path() {
    return path;
  }

  /** The command that runs another one in it. */
  public List<String> command(List<String> other) {
    List<String> command =
        new ArrayList<>(
            List.of("sh", "-c", "echo $$ >" + path + "/cgroup.procs && exec \"$@\"", "sh"));
    command.addAll(other);
    return command;
  }

  /** Sets the most processes and threads of a cgroup. */
  public static void limit(Path cgroup, int most) {
    try {
      Files.writeString(cgroup.resolve("pids.max"), Integer.toString(most));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for the ends of all that are in it, and removes it. */
  @Override
  public void close() {
    Proc.await("an empty cgroup", () -> path.toFile().delete());
  }
}
