package dev.stubpool;

import dev.stubpool.nativestubs.MemoryCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Facts about this machine, and whether it can run stubs. */
final class Machine {
  private static final Pattern KERNEL_RELEASE = Pattern.compile("(\\d+)\\.(\\d+).*");
  private static final int OLDEST_MAJOR = 5;
  private static final int OLDEST_MINOR = 10;

  /** End of user space with four levels of page tables: 47 bits less the guard page. */
  private static final long END_47_BITS = 0x7fff_ffff_f000L;

  /**
   * With five levels: 56 bits less the guard page. A process gets addresses there only if it asks
   * for them.
   */
  private static final long END_56_BITS = 0x00ff_ffff_ffff_f000L;

  private Machine() {}

  static void check(StubPoolOptions options) {
    if (options.onStubDeath() == OnStubDeath.KILL_JVM && ProcessHandle.current().pid() == 1) {
      throw new UnsupportedMachineException(
          "KILL_JVM works by SIGKILL, which the kernel ignores for the init process of a pid"
              + " namespace, and this JVM is that; start it as another's child (docker run"
              + " --init)");
    }
    check(
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        System.getProperty("os.version"));
    checkProc(Path.of("/proc"), ProcessHandle.current().pid());
  }

  /**
   * Refuses a {@code /proc} that was mounted for another pid namespace than this JVM's. The library
   * finds stubs there by the pids that it knows them by, and would otherwise read, and as root
   * change, what belongs to other processes.
   *
   * <p>Field NSpid of {@code /proc/self/status} (Linux 4.1) lists the pids of a process in the pid
   * namespace of that {@code /proc} and in all below it down to its own: one number alone proves
   * that both are the same. proc_pid_status(5), pid_namespaces(7).
   *
   * @param pid of this JVM, as getpid(2) tells it
   */
  static void checkProc(Path proc, long pid) {
    String remedy =
        "its pid namespace: unshare --pid --fork --mount-proc, or mount -t proc proc /proc";
    List<String> status;
    try {
      status = Files.readAllLines(proc.resolve("self/status"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UnsupportedMachineException(
          "cannot find this JVM in /proc (" + described(e) + "); mount a /proc of " + remedy, e);
    }
    String there = Long.toString(pid);
    String all = there;
    for (String line : status) {
      if (line.startsWith("Pid:")) {
        there = line.substring("Pid:".length()).strip();
      } else if (line.startsWith("NSpid:")) {
        all = line.substring("NSpid:".length()).strip();
      }
    }
    String own = Long.toString(pid);
    if (!there.equals(own) || !all.equals(own)) {
      throw new UnsupportedMachineException(
          "/proc is of another pid namespace: this JVM is process "
              + there
              + " there, and "
              + own
              + " in its own, so each pid of a stub is another process's in /proc; mount a /proc of"
              + " "
              + remedy);
    }
  }

  private static String described(IOException e) {
    return e.getClass().getSimpleName() + ": " + e.getMessage();
  }

  /** Refuses operating systems, architectures and kernels that cannot run stubs. */
  static void check(String system, String architecture, String release) {
    if (!system.equals("Linux") || !architecture.equals("amd64")) {
      throw new UnsupportedMachineException(
          "stubs need Linux on x86-64, this is " + system + " on " + architecture);
    }
    Matcher version = KERNEL_RELEASE.matcher(release);
    if (!version.matches()) {
      throw new UnsupportedMachineException("cannot read the kernel's release, " + release);
    }
    int major = Integer.parseInt(version.group(1));
    int minor = Integer.parseInt(version.group(2));
    if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
      throw new UnsupportedMachineException(
          "stubs need Linux "
              + OLDEST_MAJOR
              + "."
              + OLDEST_MINOR
              + " or newer, this is "
              + release
              + "; boot a newer kernel");
    }
  }

  /**
   * {@code vm.mmap_min_addr}, the lowest address that an unprivileged process may map; rounded up
   * to a page.
   */
  static long lowestAddress() {
    long page = AddressSpace.PAGE_SIZE;
    return Math.max(page, Math.ceilDiv(sysctl(Path.of("/proc/sys/vm/mmap_min_addr")), page) * page);
  }

  /**
   * A number of /proc/sys. By lines: Files.readString reads the first byte of a file of size 0 by
   * itself, and the kernel gives such a number in one piece or not at all.
   *
   * @throws UnsupportedMachineException if it cannot be read
   */
  static long sysctl(Path path) {
    try {
      return Long.parseLong(Files.readAllLines(path).getFirst().strip());
    } catch (IOException e) {
      throw new UnsupportedMachineException(
          "cannot read "
              + path
              + " ("
              + described(e)
              + "); stubs need a whole /proc: mount it without subset=pid",
          e);
    }
  }

  /**
   * The first address behind user space. munmap(2) of what is not mapped succeeds within it, and is
   * EINVAL beyond.
   */
  static long highestAddress() {
    long probe = END_47_BITS + AddressSpace.PAGE_SIZE;
    return MemoryCalls.unmap(probe, AddressSpace.PAGE_SIZE) == 0 ? END_56_BITS : END_47_BITS;
  }
}
