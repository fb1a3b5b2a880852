package dev.stubpool.trace;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.stubpool.StubDiedException;
import dev.stubpool.SystemCallException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.ExtendedState;
import dev.stubpool.nativestubs.ImageSymbols;
import dev.stubpool.nativestubs.IoVector;
import dev.stubpool.nativestubs.MemoryCalls;
import dev.stubpool.nativestubs.ProcessCalls;
import dev.stubpool.nativestubs.PtraceCalls;
import dev.stubpool.nativestubs.StubImage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A thread of a stub that runs guest code, seen from the one tracer thread that has it.
 *
 * <p>It goes on by PTRACE_SYSEMU alone: whatever the guest's instructions do, a system call of
 * theirs is reported and not made. What the tracer knows of its state is read when it is asked for,
 * and only what was changed is written back, before it goes on: for a system call that is answered,
 * that is one word.
 *
 * <p>Interrupts: {@code interrupted} is set first, then the thread is signalled if {@code running}
 * says that it runs; who resumes it sets {@code running} first and looks at {@code interrupted}
 * then. Both are volatile, so one of the two sees the other.
 */
public final class GuestThread {
  /** Why it does not run. */
  public enum Stop {
    /** It wants to make a system call: {@link #number}, {@link #argument}. */
    SYSTEM_CALL,
    /** It called one of the three functions of the vsyscall page, which have no instruction. */
    VSYSCALL,
    /** A fault: {@link #signal}, {@link #code}, {@link #address}. */
    FAULT,
    /** One instruction was executed, or the guest has set the trap flag. */
    STEP,
    /** A breakpoint instruction, or a debug register: {@link #code}, {@link #breakpoints}. */
    BREAKPOINT,
    /** {@link #interrupt} was called. */
    INTERRUPTED,
    /** The process is dead. */
    DIED
  }

  private static final String RUNNING = "running a guest";
  private static final String STARTING = "taking over a guest thread";
  private static final String CALLING = "running a call in a guest's thread";

  /** Of 64-bit code, {@link InitialState#fillGeneral}. */
  private static final int USER_CODE_SEGMENT = 0x33;

  /** No code segment at all. */
  private static final int UNKNOWN = 0;

  /** Results with these values make the kernel look whether to restart the call (ERESTARTSYS). */
  private static final int RESTARTS_FROM = -516;

  private static final int RESTARTS_TO = -512;

  /** Where vsyscalls are, on every x86-64 Linux. */
  private static final long VSYSCALL_PAGE = 0xffff_ffff_ff60_0000L;

  private static final int STOPPED_IN_CALL = Abi.SIGTRAP | 0x80;
  private static final int SIGNAL_MASK = 0xff;
  private static final int DEBUG_STATUS = 6;
  private static final int DEBUG_CONTROL = 7;
  private static final int BREAKPOINT_SLOTS = 0xf;

  /** Red zone and alignment; the kernel aligns further down itself. */
  private static final long FRAME_TOP = Abi.STUB_FRAME_OFFSET + Abi.STUB_FRAME_SIZE - 64L;

  /** What PKRU denies of memory without a key. */
  private static final int KEY_0 = 3;

  private final Tracer tracer;
  private final Tracee stub;
  private final Tracee thread;
  private final Buffers buffers;
  private final StubImage image = StubImage.get();

  // What the tracer knows of the thread, and has changed.
  private boolean generalKnown;
  private boolean generalChanged;
  private boolean resultChanged;
  private boolean vectorKnown;
  private int segmentsChanged;

  /**
   * The code segment that the kernel has for it, or {@link #UNKNOWN}: which layout NT_PRSTATUS has
   * depends on it.
   */
  private long codeSegment = USER_CODE_SEGMENT;

  private int signal;

  /** Whether any debug register is in use, and which were hit last. */
  private boolean watching;

  private int breakpoints;
  private boolean dead;

  private volatile boolean interrupted;
  private volatile boolean running;

  /** Memory for the requests of one tracer thread, which has one guest at a time. */
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

    /** Makes some. */
    public Buffers() {}
  }

  /**
   * Takes over a thread that {@link Forge#makeThread} made.
   *
   * @throws StubDiedException if the stub died
   */
  public GuestThread(Tracer tracer, Tracee stub, Tracee thread, Buffers buffers) {
    this.tracer = tracer;
    this.stub = stub;
    this.thread = thread;
    this.buffers = buffers;
    seize();
    // Nothing of the image's registers is left; the program sets what it wants.
    InitialState.fillGeneral(buffers.registers);
    generalKnown = true;
    generalChanged = true;
  }

  /**
   * The thread has had no tracer since it was made: if its process died, its number may be a
   * stranger's. So it is asked for before it is seized, and again once it is, for it keeps its
   * number then; nothing is waited for before, for what is waited for may be killed.
   */
  private void seize() {
    if (!thread.hold()) {
      throw dying();
    }
    try {
      if (!isOfTheStub()) {
        throw dying();
      }
      int options = Abi.PTRACE_O_TRACESYSGOOD | Abi.PTRACE_O_EXITKILL;
      long result = PtraceCalls.seize(tid(), options);
      if (result == -Errno.EPERM || result == -Errno.ESRCH) {
        // Nobody else traces it, and the kernel let us trace its process: it is dying.
        stub.kill();
        throw dying();
      }
      SystemCallException.check(result, "ptrace(PTRACE_SEIZE)", STARTING);
      if (!isOfTheStub()) {
        tracer.letGo(tid());
        throw dying();
      }
      thread.setTraced(true);
      tracer.checkStopped(thread, PtraceCalls.interrupt(tid()), "INTERRUPT", STARTING);
      while (tracer.awaitStop(thread, STARTING) >> 8 != Abi.PTRACE_EVENT_STOP) {
        // A signal that others sent: the stop asked for comes next.
        tracer.checkStopped(thread, PtraceCalls.resume(tid()), "CONT", STARTING);
      }
      tracer.letSignalsThrough(thread, STARTING);
      SystemCallException.check(CpuBinding.alsoBind(tid()), "sched_setaffinity", STARTING);
    } catch (Error e) {
      stub.kill(); // its new thread has no owner
      throw e;
    } finally {
      thread.release();
    }
  }

  private StubDiedException dying() {
    return new StubDiedException(stub.pid(), "being killed", STARTING);
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

  /**
   * Lets the guest go on, and waits for as long as it takes until it stops.
   *
   * @param oneInstruction stop after one at the latest
   */
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

  /** Null for what was sent by others, or is an interrupt that was told of before. */
  private Stop classify(int status) {
    if (status == STOPPED_IN_CALL) {
      long result = PtraceCalls.getSystemCallInfo(tid(), buffers.info.address());
      tracer.checkStopped(thread, result, "GET_SYSCALL_INFO", RUNNING);
      boolean entry =
          buffers.info.get(JAVA_BYTE, Abi.SYSCALL_INFO_op) == Abi.PTRACE_SYSCALL_INFO_ENTRY;
      return entry ? Stop.SYSTEM_CALL : null;
    }
    if (status >> 8 != 0) {
      return null; // an event: somebody sent SIGSTOP or SIGCONT
    }
    signal = status & SIGNAL_MASK;
    if (signal == Abi.SIGURG) {
      if (!interrupted) {
        return null; // and not to be cleared: one that comes now is seen before it goes on
      }
      interrupted = false;
      return Stop.INTERRUPTED;
    }
    if (!Tracer.isRaisedByInstructions(signal)) {
      return null;
    }
    long result = PtraceCalls.getSignalInfo(tid(), buffers.siginfo.address());
    tracer.checkStopped(thread, result, "GETSIGINFO", RUNNING);
    if (code() <= 0) {
      return null; // kill(2) and its like
    }
    return switch (signal) {
      case Abi.SIGTRAP -> trapped();
      case Abi.SIGSYS -> isVsyscall() ? Stop.VSYSCALL : Stop.FAULT;
      default -> Stop.FAULT;
    };
  }

  /** A step may hit breakpoints as well: the code is then that of the step. */
  private Stop trapped() {
    boolean step = code() == Abi.TRAP_TRACE;
    breakpoints = code() == Abi.TRAP_HWBKPT || (step && watching) ? hitBreakpoints() : 0;
    return step && breakpoints == 0 ? Stop.STEP : Stop.BREAKPOINT;
  }

  /** The kernel has returned from it already, as far as rip goes, and reads the result from rax. */
  private boolean isVsyscall() {
    long at = buffers.siginfo.get(JAVA_LONG, Abi.SIGINFO_call_addr);
    return code() == Abi.SYS_SECCOMP && at >= VSYSCALL_PAGE && at < VSYSCALL_PAGE + Abi.IMAGE_PAGE;
  }

  private Stop died() {
    dead = true;
    tracer.buryThread(thread);
    return Stop.DIED;
  }

  /** Has the guest stop, or the next {@link #resume} return, as soon as may be. Any thread. */
  public void interrupt() {
    interrupted = true;
    if (running && thread.hold()) {
      try {
        // Cannot fail but for a dead thread: SIGURG needs no memory, and is ignored by default.
        ProcessCalls.signalThread(stub.pid(), tid(), Abi.SIGURG);
      } finally {
        thread.release();
      }
    }
  }

  // ---- the last stop ----

  /** The number of a system call; of i386 calls the low half of eax. */
  public int number() {
    return (int) buffers.info.get(JAVA_LONG, Abi.SYSCALL_INFO_nr);
  }

  /** AUDIT_ARCH_X86_64 or AUDIT_ARCH_I386. */
  public int architecture() {
    return buffers.info.get(JAVA_INT, Abi.SYSCALL_INFO_arch);
  }

  /** Argument {@code index} of a system call, 0 to 5, as the register has it. */
  public long argument(int index) {
    return buffers.info.get(JAVA_LONG, Abi.SYSCALL_INFO_args + (long) index * Long.BYTES);
  }

  /** rip at a system call: behind the instruction. */
  public long callAddress() {
    return buffers.info.get(JAVA_LONG, Abi.SYSCALL_INFO_instruction_pointer);
  }

  /** The number of a vsyscall. */
  public int vsyscallNumber() {
    return buffers.siginfo.get(JAVA_INT, Abi.SIGINFO_syscall);
  }

  /** The signal of a fault. */
  public int signal() {
    return signal;
  }

  /** si_code of a fault or a trap. */
  public int code() {
    return buffers.siginfo.get(JAVA_INT, Abi.SIGINFO_code);
  }

  /** si_addr of a fault. */
  public long address() {
    return buffers.siginfo.get(JAVA_LONG, Abi.SIGINFO_addr);
  }

  /** Which debug registers were hit at the last breakpoint, a bit each. */
  public int breakpoints() {
    return breakpoints;
  }

  private int hitBreakpoints() {
    long offset = Abi.USER_DEBUGREG + (long) DEBUG_STATUS * Long.BYTES;
    check(PtraceCalls.peekUser(tid(), offset, buffers.word.address()), "PEEKUSER");
    check(PtraceCalls.pokeUser(tid(), offset, 0), "POKEUSER");
    return (int) buffers.word.get(JAVA_LONG, 0) & BREAKPOINT_SLOTS;
  }

  // ---- its state ----

  /** A word of {@code struct user_regs_struct}, at an offset of {@link Abi}. */
  public long register(int offset) {
    know();
    return buffers.registers.get(JAVA_LONG, offset);
  }

  /**
   * Changes a word that {@link #register} reads; the caller has checked that the kernel takes it.
   */
  public void register(int offset, long value) {
    know();
    set(offset, value);
    if (offset < Abi.GENERAL_REGS_SIZE) {
      generalChanged = true;
    } else {
      segmentsChanged |= 1 << ((offset - Abi.GENERAL_REGS_SIZE) / Long.BYTES);
    }
  }

  /** The result of the system call it is stopped at. */
  public void result(long value) {
    set(Abi.REGS_rax, value); // also if the others are not known: what is read leaves it
    resultChanged = true;
  }

  private void set(int offset, long value) {
    buffers.registers.set(JAVA_LONG, offset, value);
  }

  private void know() {
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

  /**
   * The vector state in the standard XSAVE layout, as the NT_X86_XSTATE register set has it: a view
   * that is valid until the guest goes on.
   */
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

  /**
   * Replaces the vector state, at once, so that the caller learns what the kernel refuses.
   *
   * @return false if the kernel refused it: EINVAL for reserved bits in mxcsr, components that the
   *     CPU has not, the compacted layout, or another size
   */
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

  /** Writes a debug register, 0 to 3 or 7, at once. */
  public void debugRegister(int index, long value) {
    use(
        () -> {
          long offset = Abi.USER_DEBUGREG + (long) index * Long.BYTES;
          check(PtraceCalls.pokeUser(tid(), offset, value), "POKEUSER");
          return 0;
        });
    if (index == DEBUG_CONTROL) {
      watching = value != 0;
    }
  }

  /** Writes what was changed; the thread goes on next. */
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
      int asInt = (int) result; // of a 32-bit call the kernel looks at no more
      if (asInt >= RESTARTS_FROM && asInt <= RESTARTS_TO) {
        poke(Abi.REGS_orig_rax, -1); // the guest's result: the kernel is not to act on it
      }
    }
    generalChanged = false;
    resultChanged = false;
  }

  /**
   * Writes the words before the bases, which a guest can set to what SETREGS refuses. Which layout
   * the kernel expects depends on the code segment that it has.
   */
  private void writeGeneral(MemorySegment registers) {
    registers.set(JAVA_LONG, Abi.REGS_orig_rax, -1); // in no system call
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

  // ---- using it ----

  /** Runs a system call in the stopped thread; all of the guest's state stays as it is. */
  public long inject(int number, long a, long b, long c, long d, long e, long f) {
    know();
    return use(
        () -> {
          MemorySegment call = buffers.call;
          InitialState.fillGeneral(call);
          call.set(JAVA_LONG, Abi.REGS_rax, number);
          call.set(JAVA_LONG, Abi.REGS_rdi, a);
          call.set(JAVA_LONG, Abi.REGS_rsi, b);
          call.set(JAVA_LONG, Abi.REGS_rdx, c);
          call.set(JAVA_LONG, Abi.REGS_r10, d);
          call.set(JAVA_LONG, Abi.REGS_r8, e);
          call.set(JAVA_LONG, Abi.REGS_r9, f);
          begin(call, ImageSymbols.STUB_CALL);
          tracer.awaitTrap(thread, image.address(ImageSymbols.STUB_CALL_DONE), CALLING);
          return tracer.result();
        });
  }

  private void begin(MemorySegment call, int entry) {
    generalChanged = true; // the guest's registers, to be written back
    call.set(JAVA_LONG, Abi.REGS_rip, image.address(entry));
    writeGeneral(call);
    check(PtraceCalls.resume(tid()), "CONT");
  }

  /** What the CPU told the kernel about a fault, sigcontext in asm/sigcontext.h. */
  public record Details(long trap, long error, long address) {}

  /**
   * Has the kernel build a signal frame for the fault it is stopped for, reads it, and puts all
   * registers back. The frame's place is mapped.
   */
  public Details examine() {
    know();
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
          SystemCallException.check(read, "process_vm_readv", "examining a fault");
          return writeVectorState(state.byteSize()); // the handler would begin with an empty one
        });
    return new Details(
        buffers.context.get(JAVA_LONG, Abi.SIGCONTEXT_trapno),
        buffers.context.get(JAVA_LONG, Abi.SIGCONTEXT_err),
        buffers.context.get(JAVA_LONG, Abi.SIGCONTEXT_cr2));
  }

  /**
   * A guest may have denied itself all memory by wrpkru, and a frame that cannot be written is the
   * process's death, before Linux 6.12.
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
    long with();
  }

  private long use(Use use) {
    hold();
    try {
      return use.with();
    } catch (Error e) {
      stub.kill(); // the guest may be anywhere in the call
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
    String how = stub.death() == null ? "being killed" : stub.death();
    return new StubDiedException(stub.pid(), how, RUNNING);
  }

  /** Ends the thread; the process goes on. */
  public void retire() {
    if (dead || !thread.hold()) {
      died();
      return;
    }
    String step = "ending a guest thread";
    try {
      MemorySegment call = buffers.call;
      InitialState.fillGeneral(call);
      call.set(JAVA_LONG, Abi.REGS_rax, Abi.SYS_exit);
      begin(call, ImageSymbols.STUB_CALL);
      while (tracer.awaitStopOrEnd(thread, step) != Tracer.ENDED) {
        check(PtraceCalls.resume(tid()), "CONT"); // a signal that others sent
      }
    } catch (StubDiedException e) {
      // The whole process was killed meanwhile: this thread is dead as well.
    } catch (Error e) {
      stub.kill(); // the thread may still run
      throw e;
    } finally {
      thread.release();
    }
    died();
  }
}
