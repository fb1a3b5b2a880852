package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Which file systems of the host are for guests: not those that are a view of the host itself, with
 * this JVM's own memory among it.
 */
final class HostDevices {
  private static final Set<String> VIEWS =
      Set.of(
          "proc",
          "sysfs",
          "cgroup",
          "cgroup2",
          "debugfs",
          "tracefs",
          "securityfs",
          "configfs",
          "bpf",
          "pstore",
          "efivarfs",
          "fusectl",
          "binfmt_misc",
          "devpts",
          "mqueue");

  private final Map<Long, Boolean> known = new HashMap<>();

  HostDevices() throws IOException {
    for (String view : new String[] {"/proc", "/sys"}) {
      Path path = Path.of(view);
      if (Files.exists(path)) {
        known.put(FileStatus.of(path).device(), false);
      }
    }
  }

  /**
   * Whether a device is one of those.
   *
   * @param path of a file on it that is no link
   */
  boolean areForGuests(long device, Path path) {
    return known.computeIfAbsent(device, _ -> isNoView(path));
  }

  private static boolean isNoView(Path path) {
    try {
      return !VIEWS.contains(Files.getFileStore(path).type());
    } catch (IOException _) {
      return true; // mounted where this JVM cannot see it, as behind chroot(2)
    }
  }
}
