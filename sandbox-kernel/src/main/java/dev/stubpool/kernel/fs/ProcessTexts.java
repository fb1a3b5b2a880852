package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.memory.Region;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** The texts of a process's files in proc(5). */
final class ProcessTexts {
  private static final long PAGE = 4096;
  private static final long KIB = 1024;
  private static final long NANOS_IN_TICK = 10_000_000;
  private static final int MAPS_COLUMN = 73;

  private ProcessTexts() {}

  /** Joins strings, each terminated by a 0. */
  static String terminated(List<String> strings) {
    return strings.stream().map(string -> string + "\0").collect(Collectors.joining());
  }

  static String maps(ProcessView process) {
    StringBuilder maps = new StringBuilder();
    for (Region region : process.regions()) {
      StringBuilder line =
          new StringBuilder(
              "%08x-%08x %s %08x 00:00 0"
                  .formatted(region.start(), region.end(), region.permissions(), region.offset()));
      if (!region.name().isEmpty()) {
        line.append(" ".repeat(Math.max(1, MAPS_COLUMN - line.length()))).append(region.name());
      }
      maps.append(line).append('\n');
    }
    return maps.toString();
  }

  private static long size(ProcessView process) {
    return process.regions().stream().mapToLong(Region::size).sum();
  }

  /** The resident size, estimated as its writable memory. */
  private static long resident(ProcessView process) {
    return process.regions().stream().filter(Region::charged).mapToLong(Region::size).sum();
  }

  static String statm(ProcessView process) {
    long pages = size(process) / PAGE;
    long resident = resident(process) / PAGE;
    return "%d %d 0 0 0 %d 0%n".formatted(pages, resident, resident);
  }

  static String stat(ProcessView process) {
    List<ProcessView.ThreadView> threads = process.threads();
    return threads.isEmpty()
        ? stat(process, new ProcessView.ThreadView(process.pid(), process.name(), 'Z', 0, 0))
        : stat(process, threads.getFirst());
  }

  static String stat(ProcessView process, ProcessView.ThreadView thread) {
    return "%d (%s) %c %d %d %d 0 -1 0 0 0 0 0 %d 0 %d 0 20 0 %d 0 %d %d %d %s"
            .formatted(
                thread.tid(),
                thread.name(),
                thread.state(),
                process.parent(),
                process.group(),
                process.session(),
                ticks(process.cpuTime()),
                ticks(process.childrenCpuTime()),
                process.threads().size(),
                process.started() / NANOS_IN_TICK,
                size(process),
                resident(process) / PAGE,
                Long.toUnsignedString(-1))
        + " 0 0 0 0 0 %d %d %d %d 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0%n"
            .formatted(
                thread.pendingSignals(),
                thread.blockedSignals(),
                process.ignoredSignals(),
                process.caughtSignals());
  }

  private static long ticks(Duration time) {
    return time.toNanos() / NANOS_IN_TICK;
  }

  static String status(ProcessView process) {
    List<ProcessView.ThreadView> threads = process.threads();
    return threads.isEmpty()
        ? status(process, new ProcessView.ThreadView(process.pid(), process.name(), 'Z', 0, 0))
        : status(process, threads.getFirst());
  }

  static String status(ProcessView process, ProcessView.ThreadView thread) {
    int uid = process.identity().uid();
    int gid = process.identity().gid();
    long size = size(process) / KIB;
    long resident = resident(process) / KIB;
    int processors = Runtime.getRuntime().availableProcessors();
    return """
    Name:\t%s
    Umask:\t%04o
    State:\t%c (%s)
    Tgid:\t%d
    Ngid:\t0
    Pid:\t%d
    PPid:\t%d
    TracerPid:\t0
    Uid:\t%d\t%d\t%d\t%d
    Gid:\t%d\t%d\t%d\t%d
    FDSize:\t64
    Groups:\t
    VmPeak:\t%8d kB
    VmSize:\t%8d kB
    VmHWM:\t%8d kB
    VmRSS:\t%8d kB
    Threads:\t%d
    SigQ:\t0/1024
    SigPnd:\t%016x
    ShdPnd:\t%016x
    SigBlk:\t%016x
    SigIgn:\t%016x
    SigCgt:\t%016x
    NoNewPrivs:\t1
    Seccomp:\t0
    Cpus_allowed:\t%x
    Cpus_allowed_list:\t%s
    """
        .formatted(
            thread.name(),
            process.umask(),
            thread.state(),
            describe(thread.state()),
            process.pid(),
            thread.tid(),
            process.parent(),
            uid,
            uid,
            uid,
            uid,
            gid,
            gid,
            gid,
            gid,
            size,
            size,
            resident,
            resident,
            process.threads().size(),
            thread.pendingSignals(),
            process.pendingSignals(),
            thread.blockedSignals(),
            process.ignoredSignals(),
            process.caughtSignals(),
            processors >= Integer.SIZE ? -1 : (1 << processors) - 1,
            SystemTexts.processors());
  }

  private static String describe(char state) {
    return switch (state) {
      case 'R' -> "running";
      case 'T' -> "stopped";
      case 'Z' -> "zombie";
      default -> "sleeping";
    };
  }
}
