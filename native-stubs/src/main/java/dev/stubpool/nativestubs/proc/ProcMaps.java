package dev.stubpool.nativestubs.proc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The mappings of a process, {@code /proc/PID/maps}, proc_pid_maps(5). */
public final class ProcMaps {
  /**
   * One mapping.
   *
   * @param start first address
   * @param end first address behind it
   * @param permissions four letters, such as {@code r-xp}
   * @param offset into the file, in bytes
   * @param inode of the file, 0 for anonymous memory
   * @param name path of the file or a name in brackets, "" if neither
   */
  public record Mapping(
      long start, long end, String permissions, long offset, long inode, String name) {
    /** Size in bytes. */
    public long size() {
      return end - start;
    }

    /** Whether it is private memory that no file backs. */
    public boolean isPrivateAnonymous() {
      return permissions.endsWith("p")
          && inode == 0
          && (name.isEmpty() || name.startsWith("[anon:"));
    }
  }

  private ProcMaps() {}

  /**
   * The mappings of this process.
   *
   * @throws IOException if they cannot be read, such as for want of descriptors
   */
  public static List<Mapping> self() throws IOException {
    return read(Path.of("/proc/self/maps"));
  }

  /**
   * The mappings of another process.
   *
   * @throws IOException if there is no such process, or it may not be looked into
   */
  public static List<Mapping> of(int pid) throws IOException {
    return read(Path.of("/proc/" + pid + "/maps"));
  }

  private static List<Mapping> read(Path maps) throws IOException {
    List<Mapping> mappings = new ArrayList<>();
    // File names are bytes; any charset that takes all of them will do.
    for (String line : Files.readAllLines(maps, StandardCharsets.ISO_8859_1)) {
      mappings.add(parse(line));
    }
    return mappings;
  }

  /** {@code 7f00-7f01 r-xp 00000000 fe:00 1234 /path with spaces}. */
  static Mapping parse(String line) {
    String[] field = line.split(" +", 6);
    int dash = field[0].indexOf('-');
    return new Mapping(
        Long.parseUnsignedLong(field[0], 0, dash, 16),
        Long.parseUnsignedLong(field[0], dash + 1, field[0].length(), 16),
        field[1],
        Long.parseUnsignedLong(field[2], 16),
        Long.parseLong(field[4]),
        field.length > 5 ? field[5] : "");
  }
}
