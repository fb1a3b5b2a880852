package dev.stubpool.diagnose;

import dev.stubpool.AddressSpace;
import dev.stubpool.OnStubDeath;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.UnsupportedMachineException;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.StatusFields;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Checks whether this machine can run stubs, and reads its address space limits. */
public final class Machine {
  private static final Pattern KERNEL_RELEASE = Pattern.compile("(\\d+)\\.(\\d+).*");
  private static final int OLDEST_MAJOR = 5;
  private static final int OLDEST_MINOR = 10;

  /** The end of user space with four levels of page tables: 47 bits less the guard page. */
  private static final long END_47_BITS = 0x7fff_ffff_f000L;

  /**
   * The end of user space with five levels of page tables: 56 bits less the guard page. mmap(2)
   * returns addresses above 47 bits only if it is asked for them.
   */
  private static final long END_56_BITS = 0x00ff_ffff_ffff_f000L;

  private Machine() {}

  /**
   * Checks what a pool with these options needs of this machine.
   *
   * @throws UnsupportedMachineException if it cannot run stubs; the message says what to change
   */
  public static void check(StubPoolOptions options) {
    if (options.onStubDeath() == OnStubDeath.KILL_JVM && ProcessHandle.current().pid() == 1) {
      throw Failures.make()
          .unsupported(
              "KILL_JVM relies on SIGKILL, which the kernel does not deliver to the init process of"
                  + " a pid namespace, and this JVM is that process; start it as a child of an init"
                  + " process (docker run --init)");
    }
    check(
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        System.getProperty("os.version"));
    checkProc(Path.of("/proc"), ProcessHandle.current().pid());
  }

  /**
   * Refuses a {@code /proc} that was mounted for another pid namespace than this JVM's. The library
   * looks up stubs there by their pids in this JVM's namespace. In another namespace's {@code
   * /proc} the same numbers are other processes, which the library would read and, as root, change.
   *
   * <p>The field NSpid of {@code /proc/self/status} (Linux 4.1) lists the pids of a process in the
   * pid namespace of that {@code /proc} and in each namespace below it, down to the process's own.
   * A single number proves that both namespaces are the same. proc_pid_status(5),
   * pid_namespaces(7).
   *
   * @param pid the pid of this JVM, as returned by getpid(2)
   */
  static void checkProc(Path proc, long pid) {
    String remedy =
        "its pid namespace: unshare --pid --fork --mount-proc, or mount -t proc proc /proc";
    StatusFields status;
    try {
      status = new ProcFs(proc).ownFields();
    } catch (IOException e) {
      throw Failures.make()
          .unsupported(
              "cannot read this JVM's status in /proc ("
                  + described(e)
                  + "); mount a /proc of "
                  + remedy,
              e);
    }
    int own = Math.toIntExact(pid);
    int there = status.pid().orElse(own);
    List<Integer> all = status.pids(); // none where the kernel has no pid namespaces
    if (there != own || !(all.isEmpty() || all.equals(List.of(own)))) {
      throw Failures.make()
          .unsupported(
              "/proc is of another pid namespace: this JVM is process "
                  + there
                  + " there, and "
                  + own
                  + " in its own, so each pid of a stub is another process's in /proc; mount a"
                  + " /proc of "
                  + remedy);
    }
  }

  private static String described(IOException e) {
    return e.getClass().getSimpleName() + ": " + e.getMessage();
  }

  /** Refuses operating systems, architectures and kernels that cannot run stubs. */
  static void check(String system, String architecture, String release) {
    if (!system.equals("Linux") || !architecture.equals("amd64")) {
      throw Failures.make()
          .unsupported("stubs need Linux on x86-64, this is " + system + " on " + architecture);
    }
    Matcher version = KERNEL_RELEASE.matcher(release);
    if (!version.matches()) {
      throw Failures.make().unsupported("cannot read the kernel's release, " + release);
    }
    int major = Integer.parseInt(version.group(1));
    int minor = Integer.parseInt(version.group(2));
    if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
      throw Failures.make()
          .unsupported(
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
  public static long lowestAddress() {
    long page = AddressSpace.PAGE_SIZE;
    return Math.max(page, Math.ceilDiv(sysctl(Path.of("/proc/sys/vm/mmap_min_addr")), page) * page);
  }

  /**
   * Reads a number from a file in /proc/sys. Uses Files.readAllLines, since Files.readString reads
   * the first byte of a file of size 0 separately, and the kernel returns such a number only to a
   * read that begins at offset 0.
   *
   * @throws UnsupportedMachineException if it cannot be read
   */
  public static long sysctl(Path path) {
    try {
      return Long.parseLong(Files.readAllLines(path).getFirst().strip());
    } catch (IOException e) {
      throw Failures.make()
          .unsupported(
              "cannot read "
                  + path
                  + " ("
                  + described(e)
                  + "); stubs need a whole /proc: mount it without subset=pid",
              e);
    }
  }

  /**
   * The first address behind user space. munmap(2) of an unmapped page succeeds within user space,
   * and fails with EINVAL beyond it.
   */
  public static long highestAddress() {
    long probe = END_47_BITS + AddressSpace.PAGE_SIZE;
    return MemoryCalls.unmap(probe, AddressSpace.PAGE_SIZE) == 0 ? END_56_BITS : END_47_BITS;
  }
}
