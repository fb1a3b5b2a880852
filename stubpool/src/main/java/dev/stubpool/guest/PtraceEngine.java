package dev.stubpool.guest;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.FaultDetails;
import dev.stubpool.StubDiedException;
import dev.stubpool.abi.Errno;
import dev.stubpool.arch.Architecture;
import dev.stubpool.arch.RegisterLayout;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.diagnose.PtraceAdvice;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ExtendedState;
import dev.stubpool.nativestubs.calls.IoVector;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.thread.CpuBinding;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Runs a guest by ptrace(2), on the one tracer thread that has seized it.
 *
 * <p>The guest runs by PTRACE_SYSEMU alone: whatever its instructions do, a system call is reported
 * and not made. Registers are read when they are asked for, and only what was changed is written
 * back before the guest goes on; for a system call that was answered, that is one word.
 *
 * <p>Interrupts: {@link #interrupt} writes {@code interrupted}, then reads {@code running}, and
 * signals the thread if it runs. {@link #resume} writes {@code running}, then reads {@code
 * interrupted}. Both fields are volatile, so at least one of the two threads sees the other's
 * write.
 */
public final class PtraceEngine implements GuestEngine {
  private static final RegisterLayout LAYOUT = Architecture.current().registers();

  private static final String RUNNING = "running a guest";
  private static final String STARTING = "taking over a guest thread";
  private static final String CALLING = "running a call in a guest's thread";

  /** The code segment of 64-bit code. */
  private static final int USER_CODE_SEGMENT = 0x33;

  /** No code segment: the kernel's value was not read. */
  private static final int UNKNOWN = 0;

  /**
   * Results that make the kernel restart the call if a signal is pending (ERESTARTSYS and others).
   */
  private static final int RESTARTS_FROM = -516;

  private static final int RESTARTS_TO = -512;

  /** The address of the vsyscall page on every x86-64 Linux. */
  private static final long VSYSCALL_PAGE = 0xffff_ffff_ff60_0000L;

  private static final int STOPPED_IN_CALL = Abi.SIGTRAP | 0x80;
  private static final int SIGNAL_MASK = 0xff;
  private static final int DEBUG_STATUS = 6;
  private static final int DEBUG_CONTROL = 7;
  private static final int BREAKPOINT_SLOTS = 0xf;

  /** The stack pointer for a signal frame: below it the kernel skips the red zone and aligns. */
  private static final long FRAME_TOP = Abi.STUB_FRAME_OFFSET + Abi.STUB_FRAME_SIZE - 64L;

  /** The bits of PKRU that deny access to memory with key 0, which all memory has by default. */
  private static final int KEY_0 = 3;

  private final StopRunner tracer;
  private final Tracee stub;
  private final Tracee thread;
  private final Buffers buffers;
  private final StubImage image = StubImage.get();

  // What was read of the thread's state, and what of it was set.
  private boolean generalKnown;
  private boolean generalChanged;
  private boolean resultChanged;
  private boolean vectorKnown;
  private int segmentsChanged;

  /**
   * The code segment that the kernel has for the thread, or {@link #UNKNOWN}. The layout of the
   * register set NT_PRSTATUS depends on it.
   */
  private long codeSegment = USER_CODE_SEGMENT;

  private int signal;

  /** Whether any debug register is in use. */
  private boolean watching;

  private int breakpoints;
  private boolean dead;

  private volatile boolean interrupted;
  private volatile boolean running;

  /** Memory for the ptrace requests of one tracer thread, which has one guest at a time. */
  public static final class Buffers {
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment registers = arena.allocate(Abi.REGS_SIZE, Long.BYTES);
    private final MemorySegment call = arena.allocate(Abi.REGS_SIZE, Long.BYTES);
    private final MemorySegment info = arena.allocate(Abi.SYSCALL_INFO_SIZE, Long.BYTES);
    private final MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, Long.BYTES);
    private final MemorySegment word = arena.allocate(JAVA_LONG);
    private final MemorySegment vector = arena.allocate(Abi.IOVEC_SIZE, Long.BYTES);
    private final MemorySegment state = arena.allocate(ExtendedState.MOST_BYTES, 64);
    private final MemorySegment copy = arena.allocate(2L * Abi.IOVEC_SIZE, Long.BYTES);
    private final MemorySegment context = arena.allocate(Abi.SIGCONTEXT_SIZE, Long.BYTES);
    private long stateSize;

    /** Allocates the memory, which is freed when this object is garbage. */
    public Buffers() {}
  }

  /**
   * Seizes a thread that the forge made and parked.
   *
   * @throws StubDiedException if the stub died
   * @throws dev.stubpool.SystemCallException if the kernel refused a step
   */
  public PtraceEngine(StopRunner tracer, Tracee stub, Tracee thread, Buffers buffers) {
    this.tracer = tracer;
    this.stub = stub;
    this.thread = thread;
    this.buffers = buffers;
    seize();
    // A guest begins with these registers, whatever the thread had in the image.
    Architecture.current().fillInitial(buffers.registers);
    generalKnown = true;
    generalChanged = true;
  }

  /**
   * Seizes the thread. It has had no tracer since it was parked, so if its process died, its number
   * may be another process's. So tgkill(2) checks before the seizure that the thread belongs to the
   * stub, and again after it, because a seized thread keeps its number. Only then is it waited for:
   * the watchdog may kill the target of a wait.
   */
  private void seize() {
    if (!thread.hold()) {
      throw dying();
    }
    boolean seized = false;
    try {
      if (!isOfTheStub()) {
        throw dying();
      }
      int options = Abi.PTRACE_O_TRACESYSGOOD | Abi.PTRACE_O_EXITKILL;
      long result = PtraceCalls.seize(tid(), options);
      if (result == -Errno.EPERM || result == -Errno.ESRCH) {
        // It has no tracer, and the kernel allowed to trace its process: it is dying.
        stub.kill();
        throw dying();
      }
      Failures.check(result, "ptrace(PTRACE_SEIZE)", STARTING);
      if (!isOfTheStub()) {
        tracer.letGo(tid());
        throw dying();
      }
      seized = true;
      thread.setTraced(true);
      tracer.checkStopped(thread, PtraceCalls.interrupt(tid()), "INTERRUPT", STARTING);
      while (tracer.awaitStop(thread, STARTING) >> 8 != Abi.PTRACE_EVENT_STOP) {
        // A stop for a signal of another process: the requested stop comes next.
        tracer.checkStopped(thread, PtraceCalls.resume(tid()), "CONT", STARTING);
      }
      tracer.restoreSignalMask(thread, STARTING);
      Failures.check(CpuBinding.alsoBind(tid()), "sched_setaffinity", STARTING);
    } catch (RuntimeException e) {
      if (seized) {
        stub.kill(); // its thread is stopped, and would stay so
      }
      throw e;
    } catch (Error e) {
      stub.kill(); // no tracer would have its new thread
      throw e;
    } finally {
      thread.release();
    }
  }

  private StubDiedException dying() {
    return Failures.make().died(stub.pid(), "being killed", STARTING);
  }

  private boolean isOfTheStub() {
    if (!stub.hold()) {
      return false;
    }
    try {
      return ProcessCalls.signalThread(stub.pid(), tid(), 0) == 0;
    } finally {
      stub.release();
    }
  }

  private int tid() {
    return thread.pid();
  }

  // ---- running ----

  @Override
  public Stop resume(boolean oneInstruction) {
    if (dead || !thread.hold()) {
      return died();
    }
    Stop stop;
    try {
      flush();
      stop = run(oneInstruction);
    } catch (StubDiedException e) {
      stop = Stop.DIED;
    } catch (Error e) {
      stub.kill(); // the guest may still run
      throw e;
    } finally {
      running = false;
      thread.release();
    }
    return stop == Stop.DIED ? died() : stop;
  }

  private Stop run(boolean oneInstruction) {
    while (true) {
      running = true;
      if (interrupted) {
        running = false;
        interrupted = false;
        return Stop.INTERRUPTED;
      }
      forget();
      long result = oneInstruction ? PtraceCalls.emulateStep(tid()) : PtraceCalls.emulate(tid());
      tracer.checkStopped(thread, result, "SYSEMU", RUNNING);
      int status = tracer.awaitGuest(thread, RUNNING);
      running = false;
      Stop stop = classify(status);
      if (stop != null) {
        return stop;
      }
    }
  }

  private void forget() {
    generalKnown = false;
    codeSegment = UNKNOWN;
    vectorKnown = false;
  }

  /** Null for signals of other processes, and for an interrupt that was reported already. */
  private @Nullable Stop classify(int status) {
    if (status == STOPPED_IN_CALL) {
      long result = PtraceCalls.getSystemCallInfo(tid(), buffers.info.address());
      tracer.checkStopped(thread, result, "GET_SYSCALL_INFO", RUNNING);
      boolean entry =
          buffers.info.get(JAVA_BYTE, Abi.SYSCALL_INFO_op) == Abi.PTRACE_SYSCALL_INFO_ENTRY;
      return entry ? Stop.SYSTEM_CALL : null;
    }
    if (status >> 8 != 0) {
      return null; // an event stop: another process sent SIGSTOP or SIGCONT
    }
    signal = status & SIGNAL_MASK;
    if (signal == Abi.SIGURG) {
      if (!interrupted) {
        return null; // an interrupt that comes now is seen before the guest goes on
      }
      interrupted = false;
      return Stop.INTERRUPTED;
    }
    if (!StopRunner.isRaisedByInstructions(signal)) {
      return null;
    }
    long result = PtraceCalls.getSignalInfo(tid(), buffers.siginfo.address());
    tracer.checkStopped(thread, result, "GETSIGINFO", RUNNING);
    if (code() <= 0) {
      return null; // sent by kill(2), tgkill(2) or sigqueue(3)
    }
    return switch (signal) {
      case Abi.SIGTRAP -> trapped();
      case Abi.SIGSYS -> isVsyscall() ? Stop.VSYSCALL : Stop.FAULT;
      default -> Stop.FAULT;
    };
  }

  /** A step may hit breakpoints, too: the code is that of the step then. */
  private Stop trapped() {
    boolean step = code() == Abi.TRAP_TRACE;
    breakpoints = code() == Abi.TRAP_HWBKPT || (step && watching) ? hitBreakpoints() : 0;
    return step && breakpoints == 0 ? Stop.STEP : Stop.BREAKPOINT;
  }

  /** The kernel has emulated the return already, except for the result, which it reads from rax. */
  private boolean isVsyscall() {
    long at = buffers.siginfo.get(JAVA_LONG, Abi.SIGINFO_call_addr);
    return code() == Abi.SYS_SECCOMP && at >= VSYSCALL_PAGE && at < VSYSCALL_PAGE + Abi.IMAGE_PAGE;
  }

  private Stop died() {
    dead = true;
    tracer.reaper().reapThread(thread);
    return Stop.DIED;
  }

  @Override
  public void interrupt() {
    interrupted = true;
    if (running && thread.hold()) {
      try {
        // Fails for a dead thread only: SIGURG needs no memory, and its default action is to
        // ignore.
        ProcessCalls.signalThread(stub.pid(), tid(), Abi.SIGURG);
      } finally {
        thread.release();
      }
    }
  }

  // ---- the last stop ----

  @Override
  public int number() {
    return (int) buffers.info.get(JAVA_LONG, Abi.SYSCALL_INFO_nr);
  }

  @Override
  public int architecture() {
    return buffers.info.get(JAVA_INT, Abi.SYSCALL_INFO_arch);
  }

  @Override
  public long argument(int index) {
    return buffers.info.get(JAVA_LONG, Abi.SYSCALL_INFO_args + (long) index * Long.BYTES);
  }

  @Override
  public long callAddress() {
    return buffers.info.get(JAVA_LONG, Abi.SYSCALL_INFO_instruction_pointer);
  }

  @Override
  public int vsyscallNumber() {
    return buffers.siginfo.get(JAVA_INT, Abi.SIGINFO_syscall);
  }

  @Override
  public int signal() {
    return signal;
  }

  @Override
  public int code() {
    return buffers.siginfo.get(JAVA_INT, Abi.SIGINFO_code);
  }

  @Override
  public long address() {
    return buffers.siginfo.get(JAVA_LONG, Abi.SIGINFO_addr);
  }

  @Override
  public int breakpoints() {
    return breakpoints;
  }

  private int hitBreakpoints() {
    long offset = Abi.USER_DEBUGREG + (long) DEBUG_STATUS * Long.BYTES;
    check(PtraceCalls.peekUser(tid(), offset, buffers.word.address()), "PEEKUSER");
    poke(offset, 0);
    return (int) buffers.word.get(JAVA_LONG, 0) & BREAKPOINT_SLOTS;
  }

  // ---- its state ----

  @Override
  public long register(int offset) {
    loadRegisters();
    return buffers.registers.get(JAVA_LONG, offset);
  }

  @Override
  public void register(int offset, long value) {
    loadRegisters();
    set(offset, value);
    if (offset < Abi.GENERAL_REGS_SIZE) {
      generalChanged = true;
    } else {
      segmentsChanged |= 1 << ((offset - Abi.GENERAL_REGS_SIZE) / Long.BYTES);
    }
  }

  @Override
  public void result(long value) {
    set(Abi.REGS_rax, value); // kept if the other registers are read later
    resultChanged = true;
  }

  private void set(int offset, long value) {
    buffers.registers.set(JAVA_LONG, offset, value);
  }

  private void loadRegisters() {
    if (dead) {
      throw gone();
    }
    if (generalKnown) {
      return;
    }
    long result = buffers.registers.get(JAVA_LONG, Abi.REGS_rax);
    hold();
    try {
      check(PtraceCalls.getRegisters(tid(), buffers.registers.address()), "GETREGS");
    } finally {
      thread.release();
    }
    codeSegment = buffers.registers.get(JAVA_LONG, Abi.REGS_cs);
    generalKnown = true;
    if (resultChanged) {
      set(Abi.REGS_rax, result);
    }
  }

  @Override
  public MemorySegment vectorState() {
    if (!vectorKnown) {
      use(
          () -> {
            IoVector.set(buffers.vector, 0, buffers.state.address(), buffers.state.byteSize());
            check(
                PtraceCalls.getRegisterSet(tid(), Abi.NT_X86_XSTATE, buffers.vector.address()),
                "GETREGSET");
            buffers.stateSize = IoVector.length(buffers.vector, 0);
            return 0;
          });
      vectorKnown = true;
    }
    return buffers.state.asSlice(0, buffers.stateSize).asReadOnly();
  }

  @Override
  public boolean vectorState(MemorySegment state) {
    vectorKnown = false;
    return use(
            () -> {
              MemorySegment.copy(state, 0, buffers.state, 0, state.byteSize());
              return writeVectorState(state.byteSize());
            })
        == 0;
  }

  private int writeVectorState(long size) {
    IoVector.set(buffers.vector, 0, buffers.state.address(), size);
    long result = PtraceCalls.setRegisterSet(tid(), Abi.NT_X86_XSTATE, buffers.vector.address());
    if (result == -Errno.EINVAL || result == -Errno.EFAULT) {
      return Errno.EINVAL;
    }
    check(result, "SETREGSET");
    return 0;
  }

  @Override
  public void debugRegister(int index, long value) {
    use(
        () -> {
          poke(Abi.USER_DEBUGREG + (long) index * Long.BYTES, value);
          return 0;
        });
    if (index == DEBUG_CONTROL) {
      watching = value != 0;
    }
  }

  /** Writes the registers that were set; the thread goes on next. */
  private void flush() {
    for (int word = 0; segmentsChanged != 0; word++, segmentsChanged >>>= 1) {
      if ((segmentsChanged & 1) != 0) {
        long offset = Abi.GENERAL_REGS_SIZE + (long) word * Long.BYTES;
        poke(offset, buffers.registers.get(JAVA_LONG, offset));
      }
    }
    if (generalChanged) {
      writeGeneral(buffers.registers);
    } else if (resultChanged) {
      long result = buffers.registers.get(JAVA_LONG, Abi.REGS_rax);
      poke(Abi.REGS_rax, result);
      int asInt = (int) result; // the kernel looks at 32 bits for a 32-bit call
      if (asInt >= RESTARTS_FROM && asInt <= RESTARTS_TO) {
        poke(Abi.REGS_orig_rax, -1); // the result is for the guest: the kernel must not restart
      }
    }
    generalChanged = false;
    resultChanged = false;
  }

  /**
   * Writes the general registers, without the segment bases: a guest can give itself bases that
   * SETREGS refuses. The layout that the kernel expects depends on the code segment that it has.
   */
  private void writeGeneral(MemorySegment registers) {
    registers.set(JAVA_LONG, Abi.REGS_orig_rax, -1); // in no system call: nothing to restart
    if (codeSegment != USER_CODE_SEGMENT) {
      poke(Abi.REGS_cs, USER_CODE_SEGMENT);
    }
    codeSegment = registers.get(JAVA_LONG, Abi.REGS_cs);
    IoVector.set(buffers.vector, 0, registers.address(), Abi.GENERAL_REGS_SIZE);
    check(
        PtraceCalls.setRegisterSet(tid(), Abi.NT_PRSTATUS, buffers.vector.address()), "SETREGSET");
  }

  private void poke(long offset, long value) {
    check(PtraceCalls.pokeUser(tid(), offset, value), "POKEUSER");
  }

  private void check(long result, String request) {
    tracer.checkStopped(thread, result, request, RUNNING);
  }

  // ---- work in the stopped guest ----

  @Override
  public long inject(int number, long a, long b, long c, long d, long e, long f) {
    loadRegisters();
    return use(
        () -> {
          MemorySegment call = buffers.call;
          Architecture.current().fillInitial(call);
          call.set(JAVA_LONG, LAYOUT.callNumber(), number);
          call.set(JAVA_LONG, LAYOUT.argument0(), a);
          call.set(JAVA_LONG, LAYOUT.argument1(), b);
          call.set(JAVA_LONG, LAYOUT.argument2(), c);
          call.set(JAVA_LONG, LAYOUT.argument3(), d);
          call.set(JAVA_LONG, LAYOUT.argument4(), e);
          call.set(JAVA_LONG, LAYOUT.argument5(), f);
          begin(call, ImageSymbols.STUB_CALL);
          tracer.awaitTrap(thread, image.address(ImageSymbols.STUB_CALL_DONE), CALLING);
          return tracer.result();
        });
  }

  private void begin(MemorySegment call, int entry) {
    generalChanged = true; // the guest's registers are written back when it goes on
    call.set(JAVA_LONG, LAYOUT.instructionPointer(), image.address(entry));
    writeGeneral(call);
    check(PtraceCalls.resume(tid()), "CONT");
  }

  /**
   * Has the kernel build a signal frame for the fault, reads the frame, and puts all registers
   * back: no ptrace request gives the trap number, the error code and cr2 (struct sigcontext).
   */
  @Override
  public FaultDetails examine() {
    loadRegisters();
    MemorySegment state = vectorState();
    use(
        () -> {
          MemorySegment call = buffers.call;
          call.copyFrom(buffers.registers);
          call.set(JAVA_LONG, Abi.REGS_rsp, image.base() + FRAME_TOP);
          makeFrameWritable(state.byteSize());
          generalChanged = true;
          writeGeneral(call);
          check(PtraceCalls.stepInto(tid(), signal), "SINGLESTEP");
          tracer.awaitStop(thread, RUNNING);
          check(PtraceCalls.getRegisters(tid(), call.address()), "GETREGS");
          codeSegment = call.get(JAVA_LONG, Abi.REGS_cs);
          long rip = call.get(JAVA_LONG, Abi.REGS_rip);
          if (rip != image.address(ImageSymbols.STUB_FAULT_ENTRY)) {
            throw tracer.wrongTrap(thread, rip, "examining a fault");
          }
          long context = call.get(JAVA_LONG, Abi.REGS_rsp) + Long.BYTES + Abi.FRAME_registers;
          IoVector.set(buffers.copy, 0, buffers.context.address(), Abi.SIGCONTEXT_SIZE);
          IoVector.set(buffers.copy, Abi.IOVEC_SIZE, context, Abi.SIGCONTEXT_SIZE);
          long read = MemoryCalls.read(stub.pid(), buffers.copy, 1, buffers.context);
          if (read < 0) {
            int errno = (int) -read;
            throw Failures.make()
                .systemCall(
                    "process_vm_readv",
                    errno,
                    "examining a fault",
                    PtraceAdvice.onCopying("process_vm_readv", errno));
          }
          return writeVectorState(state.byteSize()); // handlers begin with the initial state
        });
    return new FaultDetails(
        (int) buffers.context.get(JAVA_LONG, Abi.SIGCONTEXT_trapno),
        buffers.context.get(JAVA_LONG, Abi.SIGCONTEXT_err),
        buffers.context.get(JAVA_LONG, Abi.SIGCONTEXT_cr2));
  }

  /**
   * Allows access to memory with key 0, which a guest may have denied itself by wrpkru: before
   * Linux 6.12 a signal frame that cannot be written kills the process.
   */
  private void makeFrameWritable(long size) {
    int rights = ExtendedState.keyRights(buffers.state);
    if ((rights & KEY_0) != 0) {
      ExtendedState.keyRights(buffers.state, rights & ~KEY_0);
      writeVectorState(size);
      ExtendedState.keyRights(buffers.state, rights);
    }
  }

  private interface Use {
    long apply();
  }

  private long use(Use use) {
    hold();
    try {
      return use.apply();
    } catch (Error e) {
      stub.kill(); // the thread may be anywhere in the call
      throw e;
    } finally {
      thread.release();
    }
  }

  private void hold() {
    if (dead || !thread.hold()) {
      throw gone();
    }
  }

  private StubDiedException gone() {
    return Failures.make().died(stub.pid(), stub.describeDeath(), RUNNING);
  }

  @Override
  public void end() {
    if (dead || !thread.hold()) {
      died();
      return;
    }
    String step = "ending a guest thread";
    try {
      MemorySegment call = buffers.call;
      Architecture.current().fillInitial(call);
      call.set(JAVA_LONG, LAYOUT.callNumber(), Abi.SYS_exit);
      begin(call, ImageSymbols.STUB_CALL);
      while (tracer.awaitStopOrEnd(thread, step) != StopRunner.ENDED) {
        check(PtraceCalls.resume(tid()), "CONT"); // a stop for another process's signal
      }
    } catch (StubDiedException e) {
      // The whole process was killed meanwhile, so this thread is dead, too.
    } catch (Error e) {
      stub.kill(); // the thread may still run
      throw e;
    } finally {
      thread.release();
    }
    died();
  }
}
