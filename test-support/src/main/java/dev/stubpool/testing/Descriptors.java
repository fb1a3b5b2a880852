package dev.stubpool.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What this process has open or mapped. */
public final class Descriptors {
  private Descriptors() {}

  /** How many descriptors are open, the one that looks included. */
  public static long count() {
    try (var all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What those descriptors lead to whose targets contain {@code what}. */
  public static List<String> of(String what) {
    List<String> targets = new ArrayList<>();
    try (var all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : all) {
        String target = target(descriptor);
        if (target.contains(what)) {
          targets.add(target);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return targets;
  }

  /** How many descriptors lead to exactly that. */
  public static int leadingTo(String what) {
    return (int) of(what).stream().filter(what::equals).count();
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  /** The lines of this process's maps that contain {@code what}. */
  public static List<String> mappings(String what) {
    try {
      return Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .filter(line -> line.contains(what))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
