package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.abi.Errno;
import dev.stubpool.abi.SystemCalls;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.calls.MissingFunctionException;
import dev.stubpool.nativestubs.calls.NativeCallException;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.support.Internals;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.PidsCgroup;
import dev.stubpool.testing.Proc;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every failure a user can meet, its exact message, and a pool that goes on. */
class FailureIT {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;

  private final StubPool pool =
      StubPool.open(
          StubPoolOptions.builder()
              .name("small")
              .minIdle(0)
              .maxStubs(2)
              .maxWaiters(1)
              .acquireTimeout(Duration.ofMillis(100))
              .build());

  @AfterEach
  void shouldStillWork() {
    try (pool) {
      if (!pool.isClosed()) {
        try (Stub stub = pool.acquire(Duration.ofSeconds(10))) {
          assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
        }
      }
    }
    assertThat(Proc.stubs()).isEmpty();
  }

  @Test
  void poolFull() {
    try (Stub first = pool.acquire();
        Stub second = pool.acquire()) {
      assertThatThrownBy(pool::acquire)
          .isInstanceOf(AcquireTimeoutException.class)
          .hasMessage(
              "pool small: no stub within PT0.1S; total=2 idle=0 leased=2 forging=0 waiting=1;"
                  + " all 2 (maxStubs) are in use");
      assertThat(pool.tryAcquire()).isNull();
      assertThat(first.pid()).isNotEqualTo(second.pid());
    }
  }

  @Test
  void tooManyWaiters() {
    try (Stub first = pool.acquire();
        Stub second = pool.acquire()) {
      CompletableFuture<Stub> waiter =
          CompletableFuture.supplyAsync(() -> pool.acquire(Duration.ofSeconds(20)));
      Proc.await("a waiter", () -> pool.stats().waiting() == 1);
      assertThatThrownBy(() -> pool.acquire(Duration.ofSeconds(20)))
          .isInstanceOf(TooManyWaitersException.class)
          .hasMessage(
              "pool small: 1 threads already wait for a stub (maxWaiters); total=2 idle=0 leased=2"
                  + " forging=0 waiting=1");
      int pid = second.pid();
      second.close();
      Stub given = waiter.join();
      assertThat(given.pid()).isEqualTo(pid).isNotEqualTo(first.pid());
      given.close();
    }
  }

  @Test
  void interruptedWaiter() throws InterruptedException {
    try (Stub first = pool.acquire();
        Stub second = pool.acquire()) {
      CompletableFuture<String> outcome = new CompletableFuture<>();
      Thread waiter =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      pool.acquire(Duration.ofSeconds(20));
                    } catch (AcquireInterruptedException e) {
                      outcome.complete(e.getMessage() + Thread.currentThread().isInterrupted());
                    }
                  });
      Proc.await("a waiter", () -> pool.stats().waiting() == 1);
      waiter.interrupt();
      assertThat(outcome.join())
          .isEqualTo("interrupted while waiting for a stub of pool smalltrue");
      assertThat(first.pid()).isNotEqualTo(second.pid());
    }
  }

  @Test
  void closedPool() {
    Stub stub = pool.acquire();
    pool.close();
    String message = "pool small is closed";
    assertThatThrownBy(pool::acquire)
        .isInstanceOf(StubPoolClosedException.class)
        .hasMessage(message);
    assertThatThrownBy(pool::tryAcquire).hasMessage(message);
    assertThatThrownBy(() -> pool.memoryFile(1)).hasMessage(message);
    assertThatThrownBy(() -> pool.mappable(Path.of("/"))).hasMessage(message);
    assertThatThrownBy(() -> stub.syscall(Abi.SYS_getpid)).hasMessage(message);
    assertThatThrownBy(() -> stub.memory().read(SOMEWHERE, 1)).hasMessage(message);
    stub.close();
    pool.close();
  }

  @Test
  void deniedAndUnknownCalls() {
    try (Stub stub = pool.acquire()) {
      assertThatThrownBy(() -> stub.syscall(Abi.SYS_openat, -100, 0))
          .isInstanceOf(DeniedSystemCallException.class)
          .hasMessage(
              "openat (257) with these arguments is denied by the stub's seccomp filter; it was not"
                  + " made");
      assertThatThrownBy(() -> stub.syscall(9999))
          .isInstanceOf(DeniedSystemCallException.class)
          .hasMessage(
              "system call 9999 (9999) with these arguments is denied by the stub's seccomp filter;"
                  + " it was not made");
      assertThatThrownBy(() -> stub.syscall(-1)).isInstanceOf(DeniedSystemCallException.class);
    }
  }

  @Test
  void callsThatAreNotForCallers() {
    try (Stub stub = pool.acquire()) {
      assertThatThrownBy(() -> stub.syscall(Abi.SYS_clone, Abi.CHILD_STUB_FLAGS))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("clone is not for callers: use spawnChild(), or acquire another stub");
      assertThatThrownBy(() -> stub.syscall(Abi.SYS_exit))
          .hasMessage("exit is not for callers: use kill() or close()");
      assertThatThrownBy(() -> stub.syscall(Abi.SYS_futex))
          .hasMessage("futex is not for callers: the stub uses it to wait while it is idle");
      assertThatThrownBy(() -> stub.syscall(Abi.SYS_prctl))
          .hasMessage("prctl is not for callers: the pool uses it to arm the parent death signal");
      assertThatThrownBy(() -> stub.syscall(Abi.SYS_getpid, 1, 2, 3, 4, 5, 6, 7))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("a system call has at most 6 arguments, not 7");
    }
  }

  @Test
  void badAddresses() {
    AddressSpace space = pool.addressSpace();
    try (Stub stub = pool.acquire();
        MemoryFile file = pool.memoryFile(PAGE)) {
      StubMemory memory = stub.memory();
      assertThatThrownBy(() -> memory.mapAnonymous(SOMEWHERE + 1, PAGE, Protection.READ))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "address 0x10000001 and size 0x1000 must be multiples of the page size 0x1000");
      assertThatThrownBy(
              () -> memory.map(SOMEWHERE, file, 1, PAGE, Protection.READ, Sharing.SHARED))
          .hasMessage("offset 0x1 must be a multiple of the page size 0x1000");
      String limits =
          " cannot be mapped: mappable addresses are [0x%x, 0x%x) without the stub image's [0x%x, 0x%x)"
              .formatted(space.lowest(), space.highest(), space.imageStart(), space.imageEnd());
      long kernel = 0xffff_8000_0000_0000L;
      assertThatThrownBy(() -> memory.mapAnonymous(kernel, PAGE, Protection.READ))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("[0xffff800000000000, 0xffff800000001000)" + limits);
      for (long address : new long[] {0, space.imageStart(), space.imageEnd() - PAGE, -PAGE}) {
        assertThatThrownBy(() -> memory.unmap(address, PAGE)).hasMessageEndingWith(limits);
        assertThatThrownBy(() -> memory.protect(address, PAGE, Protection.NONE))
            .hasMessageEndingWith(limits);
      }
      assertThatThrownBy(() -> memory.unmap(SOMEWHERE, 0)).hasMessageEndingWith(limits);
      assertThatThrownBy(() -> memory.unmap(SOMEWHERE, -PAGE)).hasMessageEndingWith(limits);
      assertThatThrownBy(() -> memory.read(kernel, 1))
          .isInstanceOf(SystemCallException.class)
          .hasMessage(
              "process_vm_readv: EFAULT while copying memory of stub "
                  + stub.pid()
                  + " at 0xffff800000000000");
    }
  }

  @Test
  void closedDescriptor() {
    try (Stub stub = pool.acquire()) {
      MemoryFile file = pool.memoryFile(PAGE);
      stub.memory().map(SOMEWHERE, file, 0, PAGE, Protection.READ, Sharing.SHARED);
      file.close();
      file.close();
      assertThatThrownBy(
              () -> stub.memory().map(SOMEWHERE, file, 0, PAGE, Protection.READ, Sharing.SHARED))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("memory file of 4096 bytes is closed");
      assertThat(stub.memory().read(SOMEWHERE, 1)).containsExactly(0);
    }
  }

  @Test
  void filesThatCannotBeMapped() {
    assertThatThrownBy(() -> pool.mappable(Path.of("/does/not/exist")))
        .isInstanceOf(SystemCallException.class)
        .hasMessage("openat: ENOENT while opening /does/not/exist to map it");
    assertThatThrownBy(() -> pool.mappable(Path.of("/"), StandardOpenOption.APPEND))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("APPEND makes no sense for a mapping; use READ, or READ and WRITE");
    assertThatThrownBy(() -> pool.memoryFile(0)).hasMessage("size is 0, must be positive");
    try (Stub stub = pool.acquire();
        HostFile folder = pool.mappable(Path.of("/tmp"))) {
      assertThatThrownBy(
              () -> stub.memory().map(SOMEWHERE, folder, 0, PAGE, Protection.READ, Sharing.SHARED))
          .isInstanceOf(SystemCallException.class)
          .hasMessage("mmap: ENODEV while mapping /tmp into stub " + stub.pid());
    }
    try (Stub stub = pool.acquire();
        HostFile readOnly = pool.mappable(Path.of("/proc/self/exe"))) {
      assertThatThrownBy(
              () ->
                  stub.memory()
                      .map(SOMEWHERE, readOnly, 0, PAGE, Protection.READ_WRITE, Sharing.SHARED))
          .hasMessage(
              "mmap: EACCES while mapping /proc/self/exe into stub "
                  + stub.pid()
                  + "; the file was opened with READ alone: open it with READ and WRITE, or map it"
                  + " PRIVATE");
    }
  }

  @Test
  void windowFull() {
    MappableWindow window = Internals.window(pool);
    assertThatThrownBy(() -> occupy(window, window.freeSlots() + 1))
        .isInstanceOf(StubPoolException.class)
        .hasMessage("all 256 mappable descriptors are in use while testing; try again");
    assertThat(window.freeSlots()).isEqualTo(256);
  }

  private static long occupy(MappableWindow window, int more) {
    return more == 0 ? 0 : window.during(0, "testing", slot -> occupy(window, more - 1));
  }

  @Test
  void outOfProcesses() {
    String output = Unprivileged.run("limited", List.of(), Greedy.class, "RLIMIT_NPROC");
    assertThat(output)
        .contains(
            "clone: EAGAIN while forging a stub; a limit on processes is reached: look at ulimit -u"
                + " (RLIMIT_NPROC), pids.max of the cgroup, /proc/sys/kernel/pid_max and"
                + " threads-max")
        .contains("and on it goes");
  }

  /** Takes stubs until the kernel has no more; then gives one back and takes it again. */
  static final class Greedy {
    public static void main(String[] arguments) throws IOException {
      StubImage.get();
      if (arguments.length > 0) {
        // Before the source, which inherits it.
        Unprivileged.limitProcessesTo(Proc.tasksOf(Unprivileged.UID) + 40);
      }
      try (StubPool pool =
          StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(1000).build())) {
        ArrayDeque<Stub> stubs = new ArrayDeque<>();
        try {
          while (true) {
            stubs.add(pool.acquire(Duration.ofSeconds(5)));
          }
        } catch (SystemCallException e) {
          System.out.println(e.getMessage());
        }
        for (int i = 0; i < 10; i++) {
          Stub back = stubs.remove();
          long pid = back.pid();
          back.kill();
          back.close();
          Proc.await("a death", () -> !Proc.exists(pid));
          stubs.add(pool.acquire(Duration.ofSeconds(5)));
        }
        System.out.println(stubs.getLast().syscall(Abi.SYS_getpid) > 0 ? "and on it goes" : "");
      }
    }
  }

  @Test
  void outOfProcessesOfACgroup() {
    try (PidsCgroup cgroup = new PidsCgroup()) {
      PidsCgroup.limit(cgroup.path(), 100);
      assertThat(ChildJvm.run(cgroup.command(ChildJvm.command(Greedy.class))).output())
          .contains("clone: EAGAIN while forging a stub; a limit on processes is reached")
          .contains("and on it goes");
    }
  }

  @Test
  void notDumpable() {
    assertThat(Unprivileged.run("undumpable", List.of(), Undumpable.class))
        .contains(
            "ptrace(PTRACE_SEIZE): EPERM while making the source stub; this JVM is not dumpable"
                + " (set-user-ID, file capabilities on the java binary, or PR_SET_DUMPABLE), so its"
                + " stubs are not either: remove the file capabilities");
  }

  /** As a java binary with file capabilities would be. */
  static final class Undumpable {
    private static final int PR_SET_DUMPABLE = 4;

    public static void main(String[] arguments) {
      StubImage.get();
      if (Kernel.call(Abi.SYS_prctl, PR_SET_DUMPABLE, 0) != 0) {
        throw new AssertionError("prctl(PR_SET_DUMPABLE)");
      }
      Opening.main(arguments);
    }
  }

  @Test
  void ptraceDenied() {
    ChildJvm.Outcome outcome = ChildJvm.run(ChildJvm.command(NoPtrace.class));
    assertThat(outcome.output())
        .contains(
            "ptrace(PTRACE_SEIZE): EPERM while making the source stub; a seccomp filter of this"
                + " process forbids it: let ptrace(2) through in the container's profile (docker"
                + " run --cap-add SYS_PTRACE or --security-opt seccomp=...)");
    assertThat(outcome.status()).isZero();
  }

  /** A filter, such as every container has, that lets ptrace through is not to blame. */
  @Test
  void ptraceDeniedByAnotherThanTheFilter() {
    assertThat(Unprivileged.run("filtered", List.of(), FilteredUndumpable.class))
        .contains(
            "ptrace(PTRACE_SEIZE): EPERM while making the source stub; this JVM is not dumpable");
  }

  /** Is not dumpable, and has a filter that denies nothing that matters. */
  static final class FilteredUndumpable {
    public static void main(String[] arguments) {
      Filters.deny(Abi.SYS_acct, Errno.EPERM);
      Undumpable.main(arguments);
    }
  }

  @Test
  void tracedAlready() {
    Assumptions.assumeTrue(Files.exists(Path.of("/usr/bin/strace")), "strace is not installed");
    List<String> command = new ArrayList<>(List.of("strace", "-f", "-e", "trace=none"));
    command.addAll(ChildJvm.command(Opening.class));
    assertThat(ChildJvm.run(command).output())
        .containsPattern(
            "ptrace\\(PTRACE_SEIZE\\): EPERM while making the source stub; process \\d+"
                + " \\(strace\\) traces it already: run the JVM without that tracer");
  }

  @ParameterizedTest
  @ValueSource(strings = {"process_vm_readv", "process_vm_writev"})
  void copyingDenied(String call) {
    assertThat(ChildJvm.run(ChildJvm.command(NoCopies.class, call)).output())
        .containsPattern(
            call
                + ": EPERM while copying memory of stub \\d+ at 0x10000000; a seccomp filter of"
                + " this process forbids it: let "
                + call
                + "\\(2\\) through in the container's profile");
  }

  /** Denies itself copies of memory, as a container's profile would. */
  static final class NoCopies {
    public static void main(String[] arguments) {
      boolean reads = arguments[0].equals("process_vm_readv");
      try (StubPool pool = StubPool.open(StubPoolOptions.defaults());
          Stub stub = pool.acquire()) {
        stub.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
        Filters.deny(reads ? Abi.SYS_process_vm_readv : Abi.SYS_process_vm_writev, Errno.EPERM);
        if (reads) {
          stub.memory().read(SOMEWHERE, 1);
        } else {
          stub.memory().write(SOMEWHERE, new byte[1]);
        }
      } catch (SystemCallException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  /** Denies itself ptrace, as a container's profile would. */
  static final class NoPtrace {
    public static void main(String[] arguments) {
      Filters.deny(Abi.SYS_ptrace, Errno.EPERM);
      Opening.main(arguments);
      if (!Proc.stubs().isEmpty()) {
        System.exit(3);
      }
    }
  }

  @Test
  void birthDenied() {
    assertThat(birthWithout(Abi.SYS_seccomp, Errno.ENOSYS))
        .contains(
            "seccomp(SECCOMP_SET_MODE_FILTER): ENOSYS while making the source stub (step FILTER);"
                + " the kernel needs CONFIG_SECCOMP_FILTER, and a container must let seccomp(2)"
                + " through");
    assertThat(birthWithout(Abi.SYS_rt_sigaction, Errno.EACCES))
        .contains("rt_sigaction: EACCES while making the source stub (step DISPOSITIONS)");
    assertThat(birthWithout(Abi.SYS_mremap, Errno.EPERM))
        .contains(
            "mremap of the vDSO: EPERM while making the source stub (step VDSO); this kernel seals"
                + " the vDSO (CONFIG_MSEAL_SYSTEM_MAPPINGS), and stubs must be rid of it: boot one"
                + " without");
  }

  /** Each is said of the call that was denied, not of one that the child happened to make later. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          prctl           | prctl(PR_SET_PDEATHSIG)           | PARENT_DEATH
          getppid         | getppid                           | PARENT_ALIVE
          setpgid         | setpgid                           | PROCESS_GROUP
          sigaltstack     | sigaltstack                       | SIGNAL_STACK
          capset          | capset                            | CAPABILITIES
          seccomp         | seccomp(SECCOMP_SET_MODE_FILTER)  | FILTER
          """)
  void birthDeniedAnywhere(String name, String call, String step) {
    int number =
        IntStream.range(0, 1024)
            .filter(candidate -> SystemCalls.name(candidate).equals(name))
            .findFirst()
            .orElseThrow();
    assertThat(birthWithout(number, Errno.EPERM))
        .contains("\n" + call + ": EPERM while making the source stub (step " + step + "); ")
        .contains("container", "through")
        .doesNotContain("futex");
  }

  @Test
  void birthTrapped() {
    ChildJvm.Outcome outcome = ChildJvm.run(ChildJvm.command(Trapped.class));
    assertThat(outcome.output())
        .contains(
            "a seccomp filter of this JVM raises SIGSYS for setpgid while making the source stub;"
                + " let the call through in the container's profile (docker run --security-opt"
                + " seccomp=...)");
    assertThat(outcome.status()).isZero();
  }

  /** Has a call of the birth raise SIGSYS, as filters of some sandboxes do. */
  static final class Trapped {
    public static void main(String[] arguments) {
      Filters.answer(Abi.SYS_setpgid, SeccompAction.TRAP);
      Opening.main(arguments);
      if (!Proc.stubs().isEmpty()) {
        System.exit(3);
      }
    }
  }

  private static String birthWithout(int number, int errno) {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            ChildJvm.command(Crippled.class, Integer.toString(number), Integer.toString(errno)));
    assertThat(outcome.status()).as(outcome.output()).isZero();
    return outcome.output();
  }

  /** Denies itself, and so its source stub, one call of the birth. */
  static final class Crippled {
    public static void main(String[] arguments) {
      try (StubPool pool = StubPool.open(StubPoolOptions.defaults())) {
        System.out.println(pool.name() + " can be opened");
      }
      Filters.deny(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]));
      Opening.main(arguments);
      if (!Proc.stubs().isEmpty()) {
        System.exit(3);
      }
    }
  }

  /**
   * In a pid namespace whose /proc is that of another, a stub's pid is there that of a stranger: as
   * root the JVM could change what it must not even look at.
   */
  @Test
  void foreignProc() throws IOException {
    List<String> command = new ArrayList<>(List.of("unshare", "--pid", "--fork"));
    ChildJvm.Outcome trial = ChildJvm.run(List.of("unshare", "--pid", "--fork", "true"));
    Assumptions.assumeTrue(trial.status() == 0, () -> "no pid namespace: " + trial.output());
    Map<String, String> before = memoryKillScores();
    command.addAll(ChildJvm.command(Opening.class));
    ChildJvm.Outcome outcome = ChildJvm.run(command);
    Map<String, String> after = memoryKillScores();
    after.keySet().retainAll(before.keySet());
    before.keySet().retainAll(after.keySet());
    assertThat(after).isEqualTo(before);
    assertThat(outcome.output())
        .containsPattern(
            "/proc is of another pid namespace: this JVM is process \\d+ there, and 1 in its own,"
                + " so each pid of a stub is another process's in /proc; mount a /proc of its pid"
                + " namespace: unshare --pid --fork --mount-proc, or mount -t proc proc /proc");
  }

  /** The oom_score_adj of all processes with low pids, by pid and start time. */
  private static Map<String, String> memoryKillScores() throws IOException {
    Map<String, String> scores = new TreeMap<>();
    for (int pid = 1; pid < 200; pid++) {
      Path process = Path.of("/proc/" + pid);
      try {
        String stat = Files.readString(process.resolve("stat"));
        String start = stat.substring(stat.lastIndexOf(')')).split(" ", -1)[20];
        scores.put(pid + " of " + start, Files.readString(process.resolve("oom_score_adj")));
      } catch (NoSuchFileException e) {
        // no process has this pid
      }
    }
    return scores;
  }

  @Test
  void procWithoutSysctls() {
    List<String> command = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c"));
    String mount = "mount -t proc -o subset=pid proc /proc";
    ChildJvm.Outcome trial = ChildJvm.run(List.of("unshare", "--mount", "sh", "-c", mount));
    Assumptions.assumeTrue(trial.status() == 0, () -> "no such /proc: " + trial.output());
    command.add(mount + " && exec \"$@\"");
    command.add("sh");
    command.addAll(ChildJvm.command(Opening.class));
    assertThat(ChildJvm.run(command).output())
        .contains(
            "cannot read /proc/sys/vm/mmap_min_addr (NoSuchFileException:"
                + " /proc/sys/vm/mmap_min_addr); stubs need a whole /proc: mount it without"
                + " subset=pid");
  }

  @Test
  void noNativeAccess() {
    ChildJvm.Outcome outcome =
        ChildJvm.run(ChildJvm.command(List.of(), ChildJvm.classPath(Opening.class), Opening.class));
    assertThat(outcome.output())
        .contains(
            "stubpool may not call native code in this JVM: add the option"
                + " --enable-native-access=ALL-UNNAMED to the java command");
  }

  /**
   * vm.memfd_noexec, Linux 6.3, belongs to a pid namespace. With 2 the kernel makes no memfd that
   * execve(2) would take; with 0 it makes one, and logs a warning, unless it is asked for the
   * other. The image and memory files are never executed so, but mapped with PROT_EXEC.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void memoryFilesThatCannotBeExecuted(int setting) {
    List<String> prefix = List.of("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c");
    String set = "echo " + setting + " > /proc/sys/vm/memfd_noexec";
    List<String> command = new ArrayList<>(prefix);
    command.add(set);
    ChildJvm.Outcome trial = ChildJvm.run(command);
    Assumptions.assumeTrue(trial.status() == 0, () -> "no vm.memfd_noexec: " + trial.output());
    command = new ArrayList<>(prefix);
    command.add(set + " && exec \"$@\"");
    command.add("sh");
    command.addAll(ChildJvm.command(ExecutableMapping.class));
    assertThat(ChildJvm.run(command).output())
        .contains("mapped READ_EXECUTE")
        .contains("/memfd:stubpool-memory (deleted) rw-rw-rw-")
        .contains("/memfd:stubpool-leases (deleted) rw-rw-rw-");
  }

  /** Maps a memory file for execution, and prints the modes of all memfds. */
  static final class ExecutableMapping {
    public static void main(String[] arguments) throws IOException {
      try (StubPool pool = StubPool.open(StubPoolOptions.defaults());
          Stub stub = pool.acquire();
          MemoryFile file = pool.memoryFile(PAGE)) {
        Protection protection = Protection.READ_EXECUTE;
        stub.memory().map(SOMEWHERE, file, 0, PAGE, protection, Sharing.SHARED);
        System.out.println("mapped " + protection);
        for (int fd = 0; fd < 100; fd++) {
          Path link = Path.of("/proc/self/fd/" + fd);
          if (Files.isSymbolicLink(link)
              && Files.readSymbolicLink(link).toString().startsWith("/memfd:")) {
            System.out.println(
                Files.readSymbolicLink(link)
                    + " "
                    + PosixFilePermissions.toString(Files.getPosixFilePermissions(link)));
          }
        }
      } catch (StubPoolException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void noDescriptorAtAll() {
    List<String> command = new ArrayList<>(List.of("prlimit", "--nofile=256:256"));
    command.addAll(ChildJvm.command(NoDescriptor.class));
    assertThat(ChildJvm.run(command).output())
        .contains(
            "the JVM cannot find libc's function syscall: it could not load its own library"
                + " libsyslookup.so, most likely because all file descriptors were in use; raise"
                + " the limit (ulimit -n 4096) and start the JVM again");
  }

  /** Uses up all descriptors before the image is set up. */
  static final class NoDescriptor {
    public static void main(String[] arguments) throws ReflectiveOperationException {
      // To load a class or a library takes a descriptor, too.
      if (!Files.exists(Path.of("/"))) {
        throw new AssertionError();
      }
      for (String name :
          List.of("HostText", "HostText$LibcSyscall", "TextFile", "MissingFunctionException")) {
        Class.forName("dev.stubpool.nativestubs.calls." + name);
      }
      Class.forName(StubImage.class.getName());
      List<FileInputStream> files = new ArrayList<>();
      try {
        while (true) {
          files.add(new FileInputStream("/dev/null"));
        }
      } catch (IOException full) {
        try {
          System.out.println("sealed: " + StubImage.get().sealed());
        } catch (MissingFunctionException e) {
          System.out.println(e.getMessage());
        }
      }
      System.out.println(files.size() + " descriptors");
    }
  }

  @Test
  void tooFewDescriptors() {
    assertThat(openingWithDescriptors(256))
        .contains(
            "no 256 free descriptors in a row below the limit of 256 (fcntl(F_DUPFD_CLOEXEC));"
                + " raise it: ulimit -n 4096");
  }

  /** The JVM and its class path need some of the lowest numbers; all others may be the window's. */
  @Test
  void fewDescriptors() {
    assertThat(openingWithDescriptors(400)).contains("opened StubPool[");
  }

  @Test
  void leaseTableThatCannotBeSealed() {
    assertThat(ChildJvm.run(ChildJvm.command(NoSeals.class)).output())
        .contains(
            "fcntl(F_ADD_SEALS): EPERM while making the lease table of pool stubpool\nmapped: []\n"
                + "open: []");
  }

  /** Denies itself seals, and prints what is left of a pool that could not be opened. */
  static final class NoSeals {
    public static void main(String[] arguments) {
      StubImage.get(); // whose seals are made
      Filters.deny(Abi.SYS_fcntl, Errno.EPERM, Condition.argument(1).equalTo(Abi.F_ADD_SEALS));
      Opening.main(arguments);
      System.out.println("mapped: " + Descriptors.mappings("stubpool-leases"));
      System.out.println("open: " + Descriptors.of("stubpool-leases"));
    }
  }

  @Test
  void imageThatCannotBeMapped() {
    assertThat(ChildJvm.run(ChildJvm.command(NoImage.class)).output())
        .isEqualTo(
            "mseal: EACCES while mapping the stub image\n".repeat(2) + "mapped: []\nopen: []\n");
  }

  /** Denies the last call that maps the image, twice, and prints what is left. */
  static final class NoImage {
    public static void main(String[] arguments) {
      Filters.deny(Abi.SYS_mseal, Errno.EACCES);
      for (int i = 0; i < 2; i++) {
        try {
          System.out.println("sealed: " + StubImage.get().sealed());
        } catch (NativeCallException e) {
          System.out.println(e.getMessage());
        }
      }
      System.out.println("mapped: " + Descriptors.mappings("stubpool-image"));
      System.out.println("open: " + Descriptors.of("stubpool-image"));
    }
  }

  @Test
  void descriptorsAfterTheLastClose() {
    assertThat(ChildJvm.run(ChildJvm.command(OpenDescriptors.class)).output()).contains("left: []");
  }

  /** Prints what descriptors are left of a pool, but for files of the class path. */
  static final class OpenDescriptors {
    public static void main(String[] arguments) {
      List<String> before = Descriptors.of("");
      Opening.main(arguments);
      List<String> left = Descriptors.of("");
      before.forEach(left::remove);
      left.removeIf(file -> file.endsWith(".jar") || file.endsWith("/fd"));
      System.out.println("left: " + left);
    }
  }

  private static String openingWithDescriptors(int limit) {
    List<String> command = new ArrayList<>(List.of("prlimit", "--nofile=" + limit + ":" + limit));
    command.addAll(ChildJvm.command(Opening.class));
    return ChildJvm.run(command).output();
  }

  /** Opens a pool and says how that went. */
  static final class Opening {
    public static void main(String[] arguments) {
      try (StubPool pool = StubPool.open(StubPoolOptions.defaults())) {
        System.out.println("opened " + pool);
      } catch (StubPoolException e) {
        System.out.println(e.getMessage());
      }
    }
  }
}
