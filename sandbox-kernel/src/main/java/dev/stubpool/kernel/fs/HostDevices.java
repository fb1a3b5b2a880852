package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.FileStatus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides which host file systems guests may see: not those that are a view of the host itself,
 * such as /proc, which includes this JVM's memory.
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

  private static final Path MOUNTS = Path.of("/proc/self/mountinfo");

  /** The index of the device number in a line of mountinfo. */
  private static final int NUMBER = 2;

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
   * Whether guests may see a device's files. The device is given by number, because a path may lead
   * elsewhere later.
   *
   * @throws IOException if the host's mounts cannot be read
   */
  boolean areForGuests(long device) throws IOException {
    Boolean before = known.get(device);
    if (before != null) {
      return before;
    }
    boolean areForGuests = !isView(device);
    known.put(device, areForGuests);
    return areForGuests;
  }

  /**
   * Looks it up in /proc/self/mountinfo, proc(5); a device that is not mounted in this JVM's
   * namespace is not a view.
   */
  private static boolean isView(long device) throws IOException {
    String number = FileStatus.major(device) + ":" + FileStatus.minor(device);
    for (String line : Files.readAllLines(MOUNTS, StandardCharsets.ISO_8859_1)) {
      List<String> fields = List.of(line.split(" "));
      if (fields.get(NUMBER).equals(number)
          && VIEWS.contains(fields.get(fields.lastIndexOf("-") + 1))) {
        return true;
      }
    }
    return false;
  }
}
