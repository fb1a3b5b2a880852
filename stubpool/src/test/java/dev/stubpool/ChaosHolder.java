package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * One thread of the chaos: leases stubs and does with them whatever comes to its mind, right and
 * wrong. It knows what every call may throw just then, and what every result must be.
 */
final class ChaosHolder implements Runnable {
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final long FIRST_PLACE = 0x1000_0000L;
  private static final long BETWEEN_PLACES = 0x10_0000L;
  private static final int PLACES = 6;
  private static final int MOST_LEASES = 3;
  private static final int MOST_PAGES = 16;
  private static final int WRITTEN_BYTES = 64;

  /** Calls that no stub may make, whatever the arguments; nothing may come of them. */
  private static final int[] DENIED = {
    Abi.SYS_openat, Abi.SYS_kill, Abi.SYS_execve, Abi.SYS_read, Abi.SYS_ptrace, Abi.SYS_close
  };

  private static final int[] NOT_FOR_CALLERS = {
    Abi.SYS_clone, Abi.SYS_exit, Abi.SYS_futex, Abi.SYS_prctl
  };

  /** What can be called, and what each may throw at any time. */
  enum Operation {
    ACQUIRE(
        AcquireTimeoutException.class,
        AcquireInterruptedException.class,
        TooManyWaitersException.class),
    TRY_ACQUIRE,
    SYSCALL(StubDiedException.class),
    DENIED_SYSCALL(StubDiedException.class, DeniedSystemCallException.class),
    REFUSED_SYSCALL(IllegalArgumentException.class),
    MEMORY(StubDiedException.class),
    /** Where what is wanted is not mapped, or not so. */
    FAULTING_MEMORY(StubDiedException.class, MemoryFaultException.class),
    SPAWN(StubDiedException.class, StubPoolFullException.class),
    ON_DEATH,
    KILL,
    CLOSE,
    MAKE_FILE,
    CLOSE_FILE;

    @SuppressWarnings("ImmutableEnumChecker") // List.of is
    private final List<Class<?>> throwable;

    Operation(Class<?>... throwable) {
      this.throwable = List.of(throwable);
    }
  }

  /** A handle, and what its stub must be like. */
  static final class Lease {
    final Stub stub;
    final int pid;

    /** What was written where, and must still be there. */
    final Map<Long, byte[]> written = new HashMap<>();

    /** Whether the holder itself killed it. */
    boolean killed;

    /** Whether it is closed, or may be at any moment. */
    volatile boolean given;

    Lease(Stub stub) {
      this.stub = stub;
      this.pid = stub.pid();
    }
  }

  private final ChaosRound round;
  private final Random random;
  private final List<Lease> leases = new ArrayList<>();
  private RuntimeException thrown;

  /** The thread, and what it does since when; for who looks whether it hangs. */
  private volatile Thread thread;

  private volatile String doing = "";
  private volatile long since;

  ChaosHolder(ChaosRound round, long seed) {
    this.round = round;
    this.random = new Random(seed);
  }

  @Override
  public void run() {
    thread = Thread.currentThread();
    try {
      while (!round.isOver()) {
        round.count("steps");
        step();
      }
      for (Lease lease : leases) {
        release(lease);
      }
    } catch (Throwable e) {
      round.fail(e);
    } finally {
      since = 0;
      thread = null;
      leases.clear();
    }
  }

  // ---- for others ----

  void interrupt() {
    Thread interrupted = thread;
    if (interrupted != null) {
      interrupted.interrupt();
    }
  }

  /** What it has been doing for longer than so, or null. */
  String stuck(long nanos) {
    long start = since;
    Thread stuck = thread;
    if (start == 0 || stuck == null || System.nanoTime() - start < nanos) {
      return null;
    }
    StringBuilder text = new StringBuilder(stuck + " in " + doing + "\n");
    for (StackTraceElement frame : stuck.getStackTrace()) {
      text.append("    at ").append(frame).append('\n');
    }
    return text.toString();
  }

  // ---- steps ----

  private void step() {
    if (random.nextInt(16) == 0) {
      round.interruptAny(random);
    }
    closeForAnother();
    if (leases.isEmpty() || (leases.size() < MOST_LEASES && random.nextInt(4) == 0)) {
      acquire();
      return;
    }
    int which = random.nextInt(leases.size());
    Lease lease = leases.get(which);
    if (random.nextInt(10) == 0) {
      leases.remove(which);
      part(lease);
    } else {
      use(lease);
    }
  }

  private void acquire() {
    Duration timeout =
        switch (random.nextInt(6)) {
          case 0 -> Duration.ZERO;
          case 1 -> Duration.ofNanos(random.nextInt(100_000));
          case 2 -> Duration.ofNanos(-1);
          case 3 -> Duration.ofMillis(random.nextInt(20));
          default -> Duration.ofSeconds(2);
        };
    Stub[] got = new Stub[1];
    if (random.nextInt(3) == 0) {
      does(Operation.TRY_ACQUIRE, null, () -> got[0] = round.pool().tryAcquire());
    } else if (!does(Operation.ACQUIRE, null, () -> got[0] = round.pool().acquire(timeout))) {
      if (thrown instanceof AcquireInterruptedException && !Thread.interrupted()) {
        throw new AssertionError("the interrupt status is not set again", thrown);
      }
      return;
    }
    if (got[0] != null) {
      hold(new Lease(got[0]), true);
    }
  }

  private void hold(Lease lease, boolean likeNew) {
    round.begin(lease);
    leases.add(lease);
    if (likeNew && random.nextInt(8) == 0) {
      checkLikeNew(lease);
    }
  }

  /** Nothing is mapped but the image. */
  private void checkLikeNew(Lease lease) {
    AddressSpace space = round.pool().addressSpace();
    List<String> others = new ArrayList<>();
    for (String line : ChaosKiller.read("/proc/" + lease.pid + "/maps").lines().toList()) {
      String[] range = line.substring(0, line.indexOf(' ')).split("-", 2);
      long start = Long.parseUnsignedLong(range[0], 16);
      long end = Long.parseUnsignedLong(range[1], 16);
      boolean image = start >= space.imageStart() && end <= space.imageEnd();
      if (!image && !line.endsWith("[vsyscall]")) {
        others.add(line);
      }
    }
    // If it lives, the pid was its own while the file was read.
    if (!others.isEmpty()
        && does(Operation.SYSCALL, lease, () -> lease.stub.syscall(Abi.SYS_getpid))) {
      throw new AssertionError("stub " + lease.pid + " is not like new: " + others);
    }
  }

  private void use(Lease lease) {
    long place = FIRST_PLACE + random.nextInt(PLACES) * BETWEEN_PLACES;
    switch (random.nextInt(16)) {
      case 0, 1 -> call(lease, Abi.SYS_getpid, lease.pid);
      case 2 -> call(lease, Abi.SYS_getppid, ProcessHandle.current().pid());
      case 3 -> mapByHand(lease, place);
      case 4 -> tryDenied(lease);
      case 5 -> tryRefused(lease);
      case 6, 7 -> mapAnonymous(lease, place);
      case 8 -> mapMemoryFile(lease, place);
      case 9 -> mapHostFile(lease, place);
      case 10 -> takeAway(lease, place);
      case 11, 12 -> checkWritten(lease);
      case 13 -> spawn(lease);
      case 14 -> watch(lease);
      default -> shareFiles(lease, place);
    }
  }

  private void call(Lease lease, int number, long expected) {
    does(
        Operation.SYSCALL,
        lease,
        () -> check("result of call " + number, expected, lease.stub.syscall(number)));
  }

  private void mapByHand(Lease lease, long place) {
    lease.written.remove(place);
    long flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
    does(
        Operation.SYSCALL,
        lease,
        () ->
            check(
                "address of a mapping",
                place,
                lease.stub.syscall(Abi.SYS_mmap, place, PAGE, 3, flags, -1, 0)));
    write(lease, place);
    if (random.nextBoolean()) {
      lease.written.remove(place);
      does(
          Operation.SYSCALL,
          lease,
          () -> check("munmap", 0, lease.stub.syscall(Abi.SYS_munmap, place, PAGE)));
    }
  }

  private void tryDenied(Lease lease) {
    int number = DENIED[random.nextInt(DENIED.length)];
    boolean done =
        random.nextBoolean()
            ? does(
                Operation.DENIED_SYSCALL, lease, () -> lease.stub.syscall(number, lease.pid, 0, 0))
            : does(
                Operation.DENIED_SYSCALL,
                lease,
                () ->
                    lease.stub.syscall(
                        Abi.SYS_munmap, round.pool().addressSpace().imageStart(), PAGE));
    if (done) {
      throw new AssertionError("a denied call was made: " + number);
    }
  }

  private void tryRefused(Lease lease) {
    int number = NOT_FOR_CALLERS[random.nextInt(NOT_FOR_CALLERS.length)];
    if (does(Operation.REFUSED_SYSCALL, lease, () -> lease.stub.syscall(number))) {
      throw new AssertionError("a call was made that is not for callers: " + number);
    }
  }

  private void mapAnonymous(Lease lease, long place) {
    lease.written.remove(place);
    long size = (1 + random.nextInt(MOST_PAGES)) * PAGE;
    StubMemory memory = lease.stub.memory();
    does(
        Operation.MEMORY,
        lease,
        () -> {
          memory.mapAnonymous(place, size, Protection.READ_WRITE);
          byte[] fresh = memory.read(place, (int) size);
          if (!Arrays.equals(fresh, new byte[(int) size])) {
            throw new AssertionError("new memory is not zero");
          }
        });
    write(lease, place);
  }

  /** Something to find again. */
  private void write(Lease lease, long place) {
    byte[] bytes = new byte[WRITTEN_BYTES];
    random.nextBytes(bytes);
    if (does(Operation.MEMORY, lease, () -> lease.stub.memory().write(place, bytes))) {
      lease.written.put(place, bytes);
    }
  }

  private void checkWritten(Lease lease) {
    for (Map.Entry<Long, byte[]> entry : lease.written.entrySet()) {
      does(
          Operation.MEMORY,
          lease,
          () -> {
            byte[] found = lease.stub.memory().read(entry.getKey(), entry.getValue().length);
            if (!Arrays.equals(found, entry.getValue())) {
              throw new AssertionError(
                  "stub %d at 0x%x: written %s, read %s"
                      .formatted(
                          lease.pid,
                          entry.getKey(),
                          Arrays.toString(entry.getValue()),
                          Arrays.toString(found)));
            }
          });
    }
  }

  private void mapMemoryFile(Lease lease, long place) {
    lease.written.remove(place);
    MemoryFile[] made = new MemoryFile[1];
    if (!does(Operation.MAKE_FILE, null, () -> made[0] = round.pool().memoryFile(2 * PAGE))) {
      return;
    }
    MemoryFile file = made[0];
    byte value = (byte) (1 + random.nextInt(100));
    file.segment().set(JAVA_BYTE, PAGE, value);
    boolean shared = random.nextBoolean();
    StubMemory memory = lease.stub.memory();
    does(
        Operation.MEMORY,
        lease,
        () -> {
          Sharing sharing = shared ? Sharing.SHARED : Sharing.PRIVATE;
          memory.map(place, file, PAGE, PAGE, Protection.READ_WRITE, sharing);
          check("what the stub sees of a file", value, memory.read(place, 1)[0]);
          memory.write(place, new byte[] {(byte) -value});
          check(
              "what the JVM sees of a write to a " + sharing + " mapping",
              shared ? -value : value,
              file.segment().get(JAVA_BYTE, PAGE));
          check("what the stub sees of its write", -value, memory.read(place, 1)[0]);
        });
    does(Operation.CLOSE_FILE, null, file::close);
    write(lease, place);
  }

  private void mapHostFile(Lease lease, long place) {
    lease.written.remove(place);
    HostFile[] made = new HostFile[1];
    if (!does(Operation.MAKE_FILE, null, () -> made[0] = round.pool().mappable(round.hostFile()))) {
      return;
    }
    int page = random.nextInt(ChaosRound.HOST_FILE_PAGES);
    Sharing sharing = random.nextBoolean() ? Sharing.SHARED : Sharing.PRIVATE;
    does(
        Operation.MEMORY,
        lease,
        () -> {
          StubMemory memory = lease.stub.memory();
          memory.map(place, made[0], page * PAGE, PAGE, Protection.READ, sharing);
          byte[] seen = memory.read(place, (int) PAGE);
          check("the first byte of page " + page, page, seen[0]);
          check("the last byte of page " + page, page, seen[seen.length - 1]);
        });
    does(Operation.CLOSE_FILE, null, made[0]::close);
  }

  /** A file and its memory that other threads use, and close, at the same time. */
  private void shareFiles(Lease lease, long place) {
    lease.written.remove(place);
    MemoryFile file = round.sharedFile();
    if (file == null || random.nextInt(4) == 0) {
      MemoryFile[] made = new MemoryFile[1];
      if (does(
          Operation.MAKE_FILE, null, () -> made[0] = round.pool().memoryFile(BETWEEN_PLACES))) {
        MemoryFile old = round.shareFile(made[0]);
        if (old != null) {
          closeUsed(old);
        }
      }
      return;
    }
    StubMemory memory = lease.stub.memory();
    try {
      does(
          Operation.MEMORY,
          lease,
          () -> {
            memory.map(place, file, 0, file.size(), Protection.READ_WRITE, Sharing.PRIVATE);
            memory.write(place, new byte[8]);
            memory.read(place, file.segment());
          });
    } catch (FileClosed e) {
      round.count("file closed by another");
    }
  }

  /** A file whose memory others may be copying to at this moment. */
  private void closeUsed(MemoryFile file) {
    boolean closed = false;
    while (!closed) {
      try {
        closed = does(Operation.CLOSE_FILE, null, file::close);
      } catch (FileInUse e) {
        Thread.yield();
      }
    }
  }

  private void takeAway(Lease lease, long place) {
    boolean unmap = random.nextBoolean();
    StubMemory memory = lease.stub.memory();
    lease.written.remove(place);
    does(Operation.MEMORY, lease, () -> memory.mapAnonymous(place, PAGE, Protection.READ_WRITE));
    if (!does(
        Operation.MEMORY,
        lease,
        () -> {
          if (unmap) {
            memory.unmap(place, PAGE);
          } else {
            memory.protect(place, PAGE, Protection.NONE);
          }
        })) {
      return;
    }
    if (does(Operation.FAULTING_MEMORY, lease, () -> memory.read(place, 1))) {
      throw new AssertionError("memory can be read that was taken away");
    }
    if (thrown instanceof SystemCallException e && e.errno() != Errno.EFAULT) {
      throw new AssertionError("not EFAULT", thrown);
    }
  }

  private void spawn(Lease lease) {
    Stub[] made = new Stub[1];
    if (!does(Operation.SPAWN, lease, () -> made[0] = lease.stub.spawnChild())) {
      return;
    }
    Lease child = new Lease(made[0]);
    child.written.putAll(lease.written);
    hold(child, false);
    call(child, Abi.SYS_getpid, child.pid);
    checkWritten(child);
    if (leases.size() > MOST_LEASES) {
      leases.removeLast();
      part(child);
    }
  }

  private void watch(Lease lease) {
    does(Operation.ON_DEATH, lease, () -> round.watch(lease.stub.onDeath().toCompletableFuture()));
  }

  // ---- ends of a lease ----

  private void part(Lease lease) {
    switch (random.nextInt(8)) {
      case 0 -> {
        does(Operation.CLOSE, null, () -> closeIt(lease));
        does(Operation.CLOSE, null, () -> closeIt(lease));
        useAfterClose(lease);
      }
      case 1 -> {
        lease.killed = true;
        does(Operation.KILL, lease, lease.stub::kill);
        call(lease, Abi.SYS_getpid, -1); // never has a result
        does(Operation.KILL, lease, lease.stub::kill);
        release(lease);
      }
      case 2 -> round.drop(lease);
      case 3 -> {
        round.end(lease);
        lease.given = true;
        round.giveToClose(lease);
        for (int i = random.nextInt(20); i > 0; i--) {
          use(lease);
        }
        release(lease);
        useAfterClose(lease);
      }
      case 4 -> {
        // The common pool closes it, perhaps in the middle of a call.
        round.end(lease);
        lease.given = true;
        CompletableFuture<Void> closed = CompletableFuture.runAsync(lease.stub::close);
        for (int i = random.nextInt(5); i > 0; i--) {
          use(lease);
        }
        doing = "waiting for a close";
        since = System.nanoTime();
        closed.join();
        since = 0;
        useAfterClose(lease);
      }
      default -> release(lease);
    }
  }

  private void release(Lease lease) {
    does(Operation.CLOSE, null, () -> closeIt(lease));
  }

  private void closeIt(Lease lease) {
    round.end(lease);
    lease.given = true;
    lease.stub.close();
  }

  private void closeForAnother() {
    Lease lease = round.takeToClose();
    if (lease != null) {
      does(Operation.CLOSE, null, lease.stub::close);
    }
  }

  private void useAfterClose(Lease lease) {
    Stub stub = lease.stub;
    mustBeClosed(lease, Operation.SYSCALL, () -> stub.syscall(Abi.SYS_getpid));
    mustBeClosed(lease, Operation.MEMORY, () -> stub.memory().read(FIRST_PLACE, 1));
    mustBeClosed(lease, Operation.MEMORY, () -> stub.memory().write(FIRST_PLACE, new byte[1]));
    mustBeClosed(
        lease,
        Operation.MEMORY,
        () -> stub.memory().mapAnonymous(FIRST_PLACE, PAGE, Protection.READ));
    mustBeClosed(lease, Operation.SPAWN, stub::spawnChild);
    mustBeClosed(lease, Operation.KILL, stub::kill);
    mustBeClosed(lease, Operation.ON_DEATH, stub::onDeath);
    check("pid of a closed handle", lease.pid, stub.pid());
  }

  private void mustBeClosed(Lease lease, Operation operation, Runnable what) {
    if (does(operation, lease, what)
        || !(thrown instanceof LeaseClosedException || thrown instanceof StubPoolClosedException)) {
      throw new AssertionError(operation + " by a closed handle", thrown);
    }
  }

  // ---- what may be thrown ----

  /** A file was closed by another thread. */
  private static final class FileClosed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** A file cannot be closed, for a call copies to its memory. */
  private static final class FileInUse extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Does something that may fail in its own ways and no others; whether it did not. The failure is
   * {@code thrown}.
   */
  private boolean does(Operation operation, Lease lease, Runnable what) {
    boolean interrupted = Thread.currentThread().isInterrupted();
    thrown = null;
    doing = operation + (lease == null ? "" : " of stub " + lease.pid);
    since = System.nanoTime();
    try {
      what.run();
    } catch (RuntimeException e) {
      thrown = e;
    } finally {
      since = 0;
    }
    if (interrupted && !Thread.currentThread().isInterrupted()) {
      throw new AssertionError(doing + " lost an interrupt", thrown);
    }
    if (thrown == null) {
      return true;
    }
    round.count(operation + " " + thrown.getClass().getSimpleName());
    if (isFileClosed(operation, thrown)) {
      throw new FileClosed();
    }
    if (isFileInUse(operation, thrown)) {
      throw new FileInUse();
    }
    if (!mayThrow(operation, lease, thrown)) {
      throw new AssertionError(
          doing
              + " threw what it may not"
              + (lease == null ? "" : ": " + lease.stub + " killed=" + lease.killed),
          thrown);
    }
    return false;
  }

  private boolean mayThrow(Operation operation, Lease lease, RuntimeException e) {
    if (e instanceof StubPoolClosedException) {
      return round.isClosing() && operation != Operation.CLOSE && operation != Operation.CLOSE_FILE;
    }
    if (e instanceof LeaseClosedException) {
      return lease != null
          && lease.given
          && e.getMessage().equals("this lease of stub " + lease.pid + " is closed");
    }
    if (!operation.throwable.contains(e.getClass())) {
      return false;
    }
    if (e instanceof StubDiedException died) {
      return died.pid() == lease.pid
          && (lease.killed || round.variant().kills())
          && (lease.given || isDead(lease.stub));
    }
    return true;
  }

  /** A copy of memory may fail before the pool knows of the death, but no call can be made then. */
  private boolean isDead(Stub stub) {
    try {
      return stub.state() == StubState.DEAD || stub.syscall(Abi.SYS_getpid) == -1;
    } catch (StubDiedException e) {
      return stub.state() == StubState.DEAD;
    } catch (StubPoolClosedException e) {
      return round.isClosing();
    }
  }

  private static boolean isFileInUse(Operation operation, RuntimeException e) {
    return operation == Operation.CLOSE_FILE
        && e instanceof IllegalStateException
        && e.getMessage().startsWith("Session is acquired by ");
  }

  private static boolean isFileClosed(Operation operation, RuntimeException e) {
    return operation == Operation.MEMORY
        && e instanceof IllegalStateException
        && (e.getMessage().startsWith("memory file of ")
            || e.getMessage().equals("Already closed"));
  }

  private static void check(String what, long expected, long found) {
    if (expected != found) {
      throw new AssertionError(what + " is " + found + ", not " + expected);
    }
  }
}
