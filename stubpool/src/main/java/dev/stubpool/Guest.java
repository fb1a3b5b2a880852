package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.trace.GuestThread;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;

/**
 * A thread of a stub that runs whatever instructions its holder has put into the stub's memory, and
 * gives back every trap. It begins with all registers 0 (but for the segments of 64-bit code): set
 * rip and rsp first.
 *
 * <p>Lives as long as {@link Stub#run}, and is that thread's alone: elsewhere its methods throw
 * {@link WrongThreadException}, but for {@link #interrupter}. They throw {@link
 * IllegalStateException} when the run is over or the stub's lease is closed, {@link
 * StubPoolClosedException} when the pool is closed, {@link GuestTimeoutException} when the run's
 * time is over, and but for {@link #resume} {@link StubDiedException} when the stub is dead.
 */
public final class Guest {
  /** si_code of a fault that the kernel has no words for. */
  static final int SI_KERNEL = Abi.SI_KERNEL;

  private static final int BREAKPOINTS = 4;
  private static final int DEBUG_CONTROL = 7;
  private static final long KIND_AND_LENGTH = 0xf;
  private static final int X32_BIT = 0x4000_0000;
  private static final long LOW_HALF = 0xffff_ffffL;

  /** The guest that the calling thread runs. */
  private static final ThreadLocal<Guest> CURRENT = new ThreadLocal<>();

  private final StubPool pool;
  private final Stub stub;
  private final GuestThread thread;
  private final Thread owner = Thread.currentThread();
  private final Registers registers = new Registers(this);
  private final Segments segments = new Segments(this);
  private final Interrupter interrupter = new Interrupter(this);

  /** Counts stops: what belongs to an earlier one is of no use. */
  private long stops;

  private boolean inCall;
  private boolean inFault;

  /** Of the fault it is stopped for, once it was examined: a fault can be delivered only once. */
  private FaultDetails details;

  private long debugControl;
  private boolean over;

  /** What the run ends by, whatever it does next; null while it may go on. */
  private volatile Supplier<RuntimeException> end;

  Guest(StubPool pool, Stub stub, GuestThread thread) {
    this.pool = pool;
    this.stub = stub;
    this.thread = thread;
  }

  /** What a breakpoint waits for. */
  public enum BreakpointKind {
    /** The instruction at the address is to be executed; the length must be 1. */
    EXECUTE(0),
    /** Data are written. */
    WRITE(1),
    /** Data are read or written. */
    ACCESS(3);

    private final int bits;

    BreakpointKind(int bits) {
      this.bits = bits;
    }
  }

  /** Interrupts a guest. May be used by any thread at any time, and outlive the guest. */
  public static final class Interrupter {
    private final Guest guest;

    private Interrupter(Guest guest) {
      this.guest = guest;
    }

    /**
     * Has the guest stop: {@link Guest#resume} returns {@link Trap.Interrupted} as soon as may be,
     * at once if it is called later. Interrupts are not counted: several may show as one.
     */
    public void interrupt() {
      guest.thread.interrupt();
    }
  }

  /** The guest that the calling thread runs in this stub, or null. */
  static Guest currentOf(Stub stub) {
    Guest guest = CURRENT.get();
    return guest != null && guest.stub.process() == stub.process() ? guest : null;
  }

  void begin() {
    CURRENT.set(this);
  }

  /** Ends the guest's thread. */
  void finish() {
    CURRENT.remove();
    over = true;
    thread.retire();
  }

  /** Has the run end by an exception, made in the run's own thread. Any thread. */
  void endBy(Supplier<RuntimeException> cause) {
    end = cause;
    thread.interrupt();
  }

  GuestThread thread() {
    return thread;
  }

  void checkUsable() {
    if (Thread.currentThread() != owner) {
      throw new WrongThreadException("a guest is for the thread that runs it: " + owner.getName());
    }
    if (over) {
      throw new IllegalStateException("this guest's run is over");
    }
    checkEnd();
    stub.checkUsable();
  }

  private void checkEnd() {
    Supplier<RuntimeException> cause = end;
    if (cause != null) {
      throw cause.get();
    }
  }

  // ---- running ----

  /**
   * Lets the guest run until it traps, for as long as that takes. It goes on where it stopped, with
   * what was changed of its registers.
   *
   * @return why it stopped; {@link Trap.Died} if the stub died
   */
  public Trap resume() {
    return resume(false);
  }

  /** Lets the guest execute one instruction: {@link Trap.Step}, or what that instruction caused. */
  public Trap step() {
    return resume(true);
  }

  private Trap resume(boolean oneInstruction) {
    checkUsable();
    stops++;
    inCall = false;
    inFault = false;
    details = null;
    StubProcess process = stub.process();
    process.guestRuns();
    GuestThread.Stop stop;
    try {
      stop = thread.resume(oneInstruction);
    } finally {
      process.guestStopped();
    }
    checkEnd();
    try {
      return trap(stop);
    } catch (StubDiedException e) {
      return died(); // after it had stopped, and before all of that was read
    }
  }

  private Trap trap(GuestThread.Stop stop) {
    return switch (stop) {
      case SYSTEM_CALL -> systemCall();
      case VSYSCALL -> vsyscall();
      case FAULT -> fault();
      case STEP -> Trap.Step.INSTANCE;
      case BREAKPOINT -> new Trap.Breakpoint(thread.breakpoints(), thread.code());
      case INTERRUPTED -> Trap.Interrupted.INSTANCE;
      case DIED -> died();
    };
  }

  private Trap died() {
    return new Trap.Died(pool.deathOf(stub));
  }

  private Trap systemCall() {
    inCall = true;
    int number = thread.number();
    if (thread.architecture() == Abi.AUDIT_ARCH_I386) {
      return call(number, SystemCallAbi.I386, LOW_HALF);
    }
    boolean x32 = number >= 0 && (number & X32_BIT) != 0;
    return call(
        x32 ? number & ~X32_BIT : number, x32 ? SystemCallAbi.X32 : SystemCallAbi.X86_64, -1);
  }

  private Trap call(int number, SystemCallAbi abi, long mask) {
    return new Trap.SystemCall(
        number,
        abi,
        thread.callAddress(),
        thread.argument(0) & mask,
        thread.argument(1) & mask,
        thread.argument(2) & mask,
        thread.argument(3) & mask,
        thread.argument(4) & mask,
        thread.argument(5) & mask);
  }

  private Trap vsyscall() {
    inCall = true;
    return new Trap.SystemCall(
        thread.vsyscallNumber(),
        SystemCallAbi.VSYSCALL,
        thread.register(Abi.REGS_rip),
        thread.register(Abi.REGS_rdi),
        thread.register(Abi.REGS_rsi),
        thread.register(Abi.REGS_rdx),
        0,
        0,
        0);
  }

  private Trap fault() {
    inFault = true;
    return new Trap.Fault(
        this,
        stops,
        thread.signal(),
        thread.code(),
        thread.address(),
        thread.register(Abi.REGS_rip));
  }

  /**
   * Gives the system call that the guest stopped at its result: rax, any value, -errno for an
   * error. A call that is not completed has the result -ENOSYS.
   *
   * @throws IllegalStateException if the guest did not stop at a system call
   */
  public void complete(long result) {
    checkUsable();
    if (!inCall) {
      throw new IllegalStateException("the guest is not stopped at a system call");
    }
    thread.result(result);
  }

  /** What interrupts the guest: for any thread. */
  public Interrupter interrupter() {
    return interrupter;
  }

  // ---- what it stopped with ----

  /** The stub whose thread this is. */
  public Stub stub() {
    return stub;
  }

  /** The stub's address space; its calls are made in this guest's thread. */
  public StubMemory memory() {
    return stub.memory();
  }

  /** General registers. */
  public Registers registers() {
    checkUsable();
    return registers;
  }

  /** Segment bases and data segment selectors. */
  public Segments segments() {
    checkUsable();
    return segments;
  }

  /**
   * x87, SSE, AVX and whatever else the CPU has, in the standard XSAVE layout (Intel SDM volume 1,
   * chapter 13): a view of what was read, valid until the guest goes on. Its mxcsr counts only if
   * bit 1 of XSTATE_BV, SSE, is set: without that, the CPU need not have stored it, and whether it
   * is loaded from a state that is set depends on the CPU.
   */
  public MemorySegment vectorState() {
    checkUsable();
    return thread.vectorState();
  }

  /**
   * Replaces the vector state.
   *
   * @param state as {@link #vectorState()} has it, of the same size
   * @throws IllegalArgumentException if the kernel refuses it: another size, the compacted layout,
   *     reserved bits of mxcsr, components that the CPU has not
   */
  public void vectorState(MemorySegment state) {
    checkUsable();
    if (state.byteSize() != thread.vectorState().byteSize() || !thread.vectorState(state)) {
      throw new IllegalArgumentException(
          "the kernel does not take this vector state of %d bytes".formatted(state.byteSize()));
    }
  }

  /** All registers, to be restored in this or another guest. */
  public GuestState save() {
    checkUsable();
    long[] words = new long[Abi.REGS_SIZE / Long.BYTES];
    for (int i = 0; i < words.length; i++) {
      words[i] = thread.register(i * Long.BYTES);
    }
    return new GuestState(words, thread.vectorState().toArray(ValueLayout.JAVA_BYTE));
  }

  /**
   * Takes over registers that were saved. The guest is in no system call then.
   *
   * @throws IllegalArgumentException for what the kernel would not take: a base behind user space,
   *     which a guest can give itself, or the vector state of another CPU
   */
  public void restore(GuestState state) {
    checkUsable();
    Registers.checkSelector("cs", state.word(Abi.REGS_cs), false);
    Registers.checkSelector("ss", state.word(Abi.REGS_ss), false);
    Registers.checkSelector("ds", state.word(Abi.REGS_ds), true);
    Registers.checkSelector("es", state.word(Abi.REGS_es), true);
    Registers.checkSelector("fs", state.word(Abi.REGS_fs), true);
    Registers.checkSelector("gs", state.word(Abi.REGS_gs), true);
    Registers.checkFlags(state.word(Abi.REGS_eflags));
    Segments.checkBase("fs", state.word(Abi.REGS_fs_base));
    Segments.checkBase("gs", state.word(Abi.REGS_gs_base));
    vectorState(MemorySegment.ofArray(state.vectorState()));
    for (int offset = 0; offset < Abi.REGS_SIZE; offset += Long.BYTES) {
      thread.register(offset, state.word(offset));
    }
    inCall = false;
  }

  Access guess(Trap.Fault fault) {
    if (fault.signal() != Abi.SIGSEGV || fault.address().isEmpty()) {
      return Access.UNKNOWN;
    }
    return stub.process()
        .mappings
        .guess(fault.code(), fault.address().getAsLong(), fault.instructionPointer());
  }

  /**
   * Asks the CPU's own account of a fault, which costs some 20 us more than the fault. It passes
   * through the stub's memory: another guest that runs in the stub can change what it says.
   *
   * @param fault the one that the guest is stopped for
   * @throws IllegalStateException if the guest is not stopped for it, or a call was run in its
   *     thread before it was first examined, as {@link #memory} does
   */
  public FaultDetails examine(Trap.Fault fault) {
    checkUsable();
    boolean examined = details != null;
    if (!(inFault || examined) || fault.guest() != this || fault.stop() != stops) {
      throw new IllegalStateException("the guest is not stopped for " + fault);
    }
    if (!examined) {
      GuestThread.Details seen = pool.examine(stub, thread);
      details = new FaultDetails((int) seen.trap(), seen.error(), seen.address());
    }
    return details;
  }

  /**
   * Sets a breakpoint of this guest's: {@link Trap.Breakpoint}. Those on data trap after the
   * access, those on instructions before it, and only once at that stop.
   *
   * @param slot 0 to 3
   * @param address a multiple of {@code length}
   * @param length 1, 2, 4 or 8 bytes; 1 of EXECUTE
   */
  public void breakpoint(int slot, long address, BreakpointKind kind, int length) {
    checkUsable();
    checkSlot(slot);
    boolean known = length == 1 || length == 2 || length == 4 || length == 8;
    if (!known || address % length != 0 || (kind == BreakpointKind.EXECUTE && length != 1)) {
      throw new IllegalArgumentException(
          "a breakpoint cannot be %s of %d bytes at 0x%x".formatted(kind, length, address));
    }
    if (!pool.addressSpace().containsByte(address)) {
      throw new IllegalArgumentException("0x%x is not the guest's to map".formatted(address));
    }
    clearBreakpoint(slot);
    thread.debugRegister(slot, address);
    long lengthBits = length == 8 ? 2 : length - 1L;
    long kindAndLength = kind.bits | (lengthBits << 2);
    debugControl |= enableBit(slot) | (kindAndLength << kindShift(slot));
    thread.debugRegister(DEBUG_CONTROL, debugControl);
  }

  /** Removes a breakpoint, if there is one. */
  public void clearBreakpoint(int slot) {
    checkUsable();
    checkSlot(slot);
    long without = debugControl & ~(enableBit(slot) | (KIND_AND_LENGTH << kindShift(slot)));
    if (without != debugControl) {
      debugControl = without;
      thread.debugRegister(DEBUG_CONTROL, debugControl);
    }
  }

  /** Of DR7: local enable bits from bit 0, two for each; kinds and lengths from bit 16, four. */
  private static long enableBit(int slot) {
    return 1L << (slot * 2);
  }

  private static int kindShift(int slot) {
    return 16 + slot * 4;
  }

  private static void checkSlot(int slot) {
    if (slot < 0 || slot >= BREAKPOINTS) {
      throw new IllegalArgumentException("slot " + slot + ", must be 0 to 3");
    }
  }

  /** Runs a call in the guest's own stopped thread. */
  long inject(int number, long a, long b, long c, long d, long e, long f) {
    checkUsable();
    inFault = false;
    return thread.inject(number, a, b, c, d, e, f);
  }
}
