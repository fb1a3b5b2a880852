package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.memory.MemoryBudget;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;

/** The texts of the system-wide files in proc(5). */
final class SystemTexts {
  private static final double NANOS = 1e9;
  private static final long KIB = 1024;

  private static final String[][] MOUNTS = {
    {"/", "rootfs", "ro,relatime"},
    {"/dev", "devtmpfs", "ro,nosuid,relatime"},
    {"/dev/shm", "tmpfs", "rw,nosuid,nodev,relatime"},
    {"/proc", "proc", "ro,nosuid,nodev,noexec,relatime"},
    {"/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime"},
    {"/tmp", "tmpfs", "rw,nosuid,nodev,relatime"},
  };

  private final ProcessViews processes;
  private final MemoryBudget memory;
  private final long start = Instant.now().getEpochSecond();

  SystemTexts(ProcessViews processes, MemoryBudget memory) {
    this.processes = processes;
    this.memory = memory;
  }

  /** All texts by path in /proc. */
  Map<String, Supplier<String>> all() {
    Map<String, Supplier<String>> texts = new TreeMap<>();
    texts.put("cpuinfo", SystemTexts::cpuinfo);
    texts.put("filesystems", () -> "nodev\tproc\nnodev\tsysfs\nnodev\ttmpfs\n");
    texts.put("loadavg", this::loadavg);
    texts.put("meminfo", this::meminfo);
    texts.put("stat", this::stat);
    texts.put("uptime", () -> "%.2f 0.00%n".formatted(System.nanoTime() / NANOS));
    texts.put("version", () -> "Linux version %s (stubpool) #1 stubpool%n".formatted(release()));
    String bootId = UUID.randomUUID().toString();
    texts.put("sys/kernel/random/boot_id", line(bootId));
    texts.put("sys/kernel/random/uuid", () -> UUID.randomUUID() + "\n");
    texts.put("sys/kernel/random/entropy_avail", line("256"));
    texts.put("sys/kernel/ostype", line("Linux"));
    texts.put("sys/kernel/osrelease", line(release()));
    texts.put("sys/kernel/version", line("#1 stubpool"));
    texts.put("sys/kernel/hostname", line("stubpool"));
    texts.put("sys/kernel/pid_max", line("4194304"));
    texts.put("sys/kernel/ngroups_max", line("65536"));
    texts.put("sys/kernel/cap_last_cap", line("40"));
    texts.put("sys/vm/overcommit_memory", line("0"));
    texts.put("sys/vm/max_map_count", line("65530"));
    texts.put("sys/fs/pipe-max-size", line("1048576"));
    texts.put("sys/fs/file-max", line("1048576"));
    texts.put("sys/fs/nr_open", line("1048576"));
    texts.put("sys/net/core/somaxconn", line("4096"));
    return texts;
  }

  private static Supplier<String> line(String text) {
    return () -> text + "\n";
  }

  private static String release() {
    return System.getProperty("os.version");
  }

  /** The available CPUs in list format. */
  static String processors() {
    int processors = Runtime.getRuntime().availableProcessors();
    return processors == 1 ? "0" : "0-" + (processors - 1);
  }

  private static String cpuinfo() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
      text.append("processor\t: ").append(i).append('\n');
      text.append("model name\t: x86-64\n");
      text.append("physical id\t: 0\ncore id\t\t: ").append(i).append("\n\n");
    }
    return text.toString();
  }

  private String loadavg() {
    return "0.00 0.00 0.00 1/%d %d%n".formatted(processes.threadCount(), processes.processesMade());
  }

  private String meminfo() {
    long free = memory.most() - memory.used();
    StringBuilder text = new StringBuilder();
    String[] names = {
      "MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapTotal", "SwapFree"
    };
    long[] values = {memory.most(), free, free, 0, 0, 0, 0};
    for (int i = 0; i < names.length; i++) {
      text.append("%-16s%8d kB%n".formatted(names[i] + ":", values[i] / KIB));
    }
    return text.toString();
  }

  private String stat() {
    StringBuilder text = new StringBuilder("cpu  0 0 0 0 0 0 0 0 0 0\n");
    for (int i = 0; i < Runtime.getRuntime().availableProcessors(); i++) {
      text.append("cpu%d 0 0 0 0 0 0 0 0 0 0%n".formatted(i));
    }
    text.append("intr 0\nctxt 0\nbtime %d%n".formatted(start));
    text.append("processes %d%n".formatted(processes.processesMade()));
    return text.append("procs_running 1\nprocs_blocked 0\n").toString();
  }

  static String mounts() {
    StringBuilder text = new StringBuilder();
    for (String[] mount : MOUNTS) {
      text.append("%s %s %s %s 0 0%n".formatted(mount[1], mount[0], mount[1], mount[2]));
    }
    return text.toString();
  }

  static String mountInfo() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < MOUNTS.length; i++) {
      String[] mount = MOUNTS[i];
      String options = mount[2].substring(0, 2);
      text.append(
          "%d %d 0:%d / %s %s - %s %s %s%n"
              .formatted(
                  i + 1, i == 0 ? 0 : 1, i + 1, mount[0], mount[2], mount[1], mount[1], options));
    }
    return text.toString();
  }
}
