package dev.stubpool.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Scanner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What /proc and /sys say of the machine; proc(5). */
final class Machine {
  private static final Pattern CHOSEN = Pattern.compile("\\[(.*)]");
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  private Machine() {}

  /** The load average of the last minute. */
  static double load() {
    return new Scanner(read("/proc/loadavg")).useLocale(Locale.ROOT).nextDouble();
  }

  /** Memory that programs can have, in bytes. */
  static long availableMemory() {
    return Long.parseLong(field("/proc/meminfo", "MemAvailable").replace(" kB", "")) << 10;
  }

  /** The last CPU that this process may run on. */
  static String lastCpu() {
    String allowed = field("/proc/self/status", "Cpus_allowed_list");
    return allowed.substring(1 + Math.max(allowed.lastIndexOf(','), allowed.lastIndexOf('-')));
  }

  static String cpuModel() {
    return field("/proc/cpuinfo", "model name");
  }

  static String kernel() {
    return String.join(
        " ",
        System.getProperty("os.name"),
        System.getProperty("os.version"),
        System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch"));
  }

  /** When the kernel uses transparent huge pages. */
  static String hugePages() {
    if (!Files.isReadable(HUGE_PAGES)) {
      return "unknown";
    }
    Matcher matcher = CHOSEN.matcher(read(HUGE_PAGES.toString()));
    return matcher.find() ? matcher.group(1) : "unknown";
  }

  /** The time that a CPU has had, and what of it the hypervisor took away, in ticks. */
  record CpuTime(long total, long stolen) {
    private static final int FIELDS = 8;
    private static final int STEAL = 7;

    /** Reads it for a CPU, or for all together if none is named. */
    static CpuTime now(String cpu) {
      return of(read("/proc/stat").lines().toList(), cpu);
    }

    static CpuTime of(List<String> stat, String cpu) {
      String name = "cpu" + cpu;
      for (String line : stat) {
        String[] words = line.trim().split("\\s+");
        if (words[0].equals(name)) {
          long[] ticks =
              Arrays.stream(words).skip(1).limit(FIELDS).mapToLong(Long::parseLong).toArray();
          return new CpuTime(Arrays.stream(ticks).sum(), ticks[STEAL]);
        }
      }
      throw new BenchException("/proc/stat does not name " + name);
    }

    /** The share that was stolen since an earlier time, in percent. */
    double stolenSince(CpuTime earlier) {
      long passed = total - earlier.total;
      return passed == 0 ? 0 : 100.0 * (stolen - earlier.stolen) / passed;
    }
  }

  private static String field(String file, String name) {
    return read(file)
        .lines()
        .map(line -> line.split(":", 2))
        .filter(sides -> sides.length == 2 && sides[0].trim().equals(name))
        .map(sides -> sides[1].trim())
        .findFirst()
        .orElseThrow(() -> new BenchException(file + " does not say " + name));
  }

  private static String read(String file) {
    try {
      return Files.readString(Path.of(file));
    } catch (IOException e) {
      throw new BenchException("cannot read " + file + ": " + e, e);
    }
  }
}
