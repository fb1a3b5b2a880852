package dev.stubpool.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * A version 1 freezer cgroup. What is in it neither stops nor dies before it is let go: the nearest
 * thing to a process that hangs in the kernel.
 */
public final class Freezer implements AutoCloseable {
  private final Path cgroup =
      Path.of("/sys/fs/cgroup/freezer/stubpool-test-" + ProcessHandle.current().pid());

  /** Makes one, or skips the test. */
  public Freezer() {
    try {
      Files.createDirectory(cgroup);
    } catch (IOException e) {
      Assumptions.abort("needs root and a version 1 freezer cgroup: " + e);
    }
  }

  /** Holds a process. A traced one that is stopped stays so; it is held once it is let go on. */
  public void hold(int pid) {
    write("cgroup.procs", Integer.toString(pid));
    write("freezer.state", "FROZEN");
  }

  /** Lets all go. */
  public void release() {
    write("freezer.state", "THAWED");
  }

  private void write(String file, String text) {
    try {
      Files.writeString(cgroup.resolve(file), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lets all go, and waits for their ends. */
  @Override
  public void close() {
    release();
    Proc.await("an empty cgroup", () -> cgroup.toFile().delete());
  }
}
