package dev.stubpool.forge;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.abi.Errno;
import dev.stubpool.arch.Architecture;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.calls.WaitCalls;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Lets a stub run free: from any address, with any registers, by PTRACE_CONT and not by
 * PTRACE_SYSEMU, so that its system calls are made, as far as its filter lets them.
 */
final class FreeStub implements AutoCloseable {
  /** How a run ended. */
  enum End {
    /** An int3. */
    BREAKPOINT,
    /** The filter's SIGSYS: the call was not made. */
    DENIED,
    /** SEGV, BUS, ILL or FPE. */
    FAULT,
    /** It exited. */
    EXITED,
    /** It sleeps in a system call until it is interrupted, which it was. */
    ASLEEP
  }

  /**
   * A run.
   *
   * @param children how many processes it made; they are dead now
   */
  record Run(End end, long rip, long rax, int children) {}

  /** Far more than one run can make. */
  static final int TOO_MANY_CHILDREN = 3_000;

  private static final long PATIENCE_NANOS = Duration.ofSeconds(20).toNanos();
  private static final int SI_KERNEL = 0x80;
  private static final String STEP = "running free";

  private final TracedStub stubs;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment registers = arena.allocate(Abi.REGS_SIZE, Long.BYTES);
  private final MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
  private final MemorySegment pidWord = arena.allocate(Integer.BYTES, Long.BYTES);
  private Set<Integer> childrenBefore = new HashSet<>();
  private Tracee stub;

  FreeStub(TracedStub stubs) {
    this.stubs = stubs;
  }

  /** The stub that the next run is of. */
  Tracee stub() {
    if (stub == null) {
      stub = stubs.forge();
      childrenBefore = Proc.children();
    }
    return stub;
  }

  /** Takes another stub for the next run. */
  void replace() {
    if (stub != null) {
      stubs.tracer.reaper().killAndReap(stub);
      stub = null;
    }
  }

  /**
   * Runs from an address until the stub stops, sleeps or is dead.
   *
   * @param values of registers, by their offsets ({@code Abi.REGS_...}); the others are 0
   */
  Run run(long rip, Map<Integer, Long> values) {
    Tracee tracee = stub();
    tracee.use();
    Architecture.current().fillInitial(registers);
    values.forEach((register, value) -> registers.set(JAVA_LONG, register, value));
    registers.set(JAVA_LONG, Abi.REGS_orig_rax, -1);
    registers.set(JAVA_LONG, Abi.REGS_rip, rip);
    check(PtraceCalls.setRegisters(tracee.pid(), registers.address()));
    check(PtraceCalls.resume(tracee.pid()));
    End end = awaitEnd(tracee);
    if (end == End.EXITED) {
      registers.fill((byte) 0);
      stubs.tracer.reaper().killAndReap(tracee); // it may have other threads
      stub = null;
    } else {
      check(PtraceCalls.getRegisters(tracee.pid(), registers.address()));
    }
    return new Run(
        end,
        registers.get(JAVA_LONG, Abi.REGS_rip),
        registers.get(JAVA_LONG, Abi.REGS_rax),
        buryChildren(tracee));
  }

  private End awaitEnd(Tracee tracee) {
    pidWord.set(JAVA_INT, 0, tracee.pid());
    long start = System.nanoTime();
    while (true) {
      long seen = WaitCalls.pollStop(pidWord.address(), siginfo.address(), 1);
      if (seen == 1) {
        return end(tracee);
      }
      if (seen == -Errno.ECHILD) {
        return End.EXITED;
      }
      boolean late = System.nanoTime() - start > PATIENCE_NANOS;
      if (late || children().size() > TOO_MANY_CHILDREN) {
        tracee.kill();
        buryChildren(tracee);
        throw new AssertionError(late ? "it never stops" : "it makes children without end");
      }
      if (state(tracee.pid()) == 'S') {
        check(PtraceCalls.interrupt(tracee.pid()));
        stubs.tracer.awaitStop(tracee, STEP);
        return End.ASLEEP;
      }
    }
  }

  private End end(Tracee tracee) {
    int signal = siginfo.get(JAVA_INT, Abi.SIGINFO_status);
    check(PtraceCalls.getSignalInfo(tracee.pid(), siginfo.address()));
    int code = siginfo.get(JAVA_INT, Abi.SIGINFO_code);
    if (signal == Abi.SIGTRAP && code == SI_KERNEL) {
      return End.BREAKPOINT;
    }
    if (signal == Abi.SIGSYS && code == Abi.SYS_SECCOMP) {
      return End.DENIED;
    }
    if (signal == Abi.SIGSEGV
        || signal == Abi.SIGBUS
        || signal == Abi.SIGILL
        || signal == Abi.SIGFPE) {
      return End.FAULT;
    }
    throw new AssertionError("it stopped for signal " + signal + ", code " + code);
  }

  private static char state(int pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (IOException e) {
      return 'X';
    }
  }

  private Set<Integer> children() {
    Set<Integer> children = Proc.children();
    children.removeAll(childrenBefore);
    return children;
  }

  /** Kills the processes that a run made: this thread's tracees, which have not run yet. */
  private int buryChildren(Tracee parent) {
    Set<Integer> children = children();
    children.remove(parent.pid());
    children.forEach(child -> new Tracee(child).kill());
    children.forEach(child -> stubs.tracer.reaper().reap(new Tracee(child)));
    return children.size();
  }

  private static void check(long result) {
    if (result < 0) {
      throw new AssertionError(Errno.name((int) -result));
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
