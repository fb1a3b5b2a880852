package dev.stubpool.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** What tests look up in /proc. */
public final class Proc {
  private Proc() {}

  /** A field of /proc/PID/status. */
  public static String status(int pid, String field) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith(field + ":")) {
          return line.substring(field.length() + 1).strip();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new AssertionError("no " + field + " in /proc/" + pid + "/status");
  }

  /** Living or dead children of this process that are stubs. */
  public static List<Integer> stubs() {
    List<Integer> stubs = new ArrayList<>();
    for (int pid : children()) {
      if (readIfThere(Path.of("/proc/" + pid + "/comm")).equals("stubpool-stub")) {
        stubs.add(pid);
      }
    }
    return stubs;
  }

  /** The children of this process, threads' children too. */
  public static Set<Integer> children() {
    Set<Integer> children = new HashSet<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        // Of a thread that ended meanwhile another one has the children, for the next look.
        for (String pid : readIfThere(thread.resolve("children")).split(" ", -1)) {
          if (!pid.isEmpty()) {
            children.add(Integer.parseInt(pid));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return children;
  }

  /** Whether there is such a process or thread, be it a zombie. */
  public static boolean exists(long pid) {
    return Files.exists(Path.of("/proc/" + pid));
  }

  /** Sends SIGKILL from another process, and waits until it is sent. */
  public static void killFromOutside(int pid) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-9", Integer.toString(pid)).start().waitFor();
  }

  /** A file, stripped. */
  public static String read(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file of a process, stripped; "" if the process is gone. */
  public static String readIfThere(Path path) {
    try {
      return Files.readString(path).strip();
    } catch (IOException e) {
      return "";
    }
  }

  /** How many threads, of all processes, belong to a user. */
  public static int tasksOf(int uid) throws IOException {
    int tasks = 0;
    try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        for (String line : readIfThere(process.resolve("status")).lines().toList()) {
          if (line.startsWith("Uid:") && !line.startsWith("Uid:\t" + uid + "\t")) {
            break;
          }
          if (line.startsWith("Threads:")) {
            tasks += Integer.parseInt(line.substring("Threads:".length()).strip());
          }
        }
      }
    }
    return tasks;
  }

  /** Waits for something that another thread or process does, at most 20 s. */
  public static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("waited in vain for: " + what);
      }
      LockSupport.parkNanos(200_000);
    }
  }
}
