package dev.stubpool;

import dev.stubpool.nativestubs.MemoryCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
   */
  static long sysctl(Path path) {
    try {
      return Long.parseLong(Files.readAllLines(path).getFirst().strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
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
