package dev.stubpool.guest;

import dev.stubpool.Access;
import dev.stubpool.AddressSpace;
import dev.stubpool.FaultDetails;
import dev.stubpool.Guest;
import dev.stubpool.GuestState;
import dev.stubpool.Stub;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubMemory;
import dev.stubpool.SystemCallAbi;
import dev.stubpool.Trap;
import dev.stubpool.X86Registers;
import dev.stubpool.X86Segments;
import dev.stubpool.memory.AccessGuess;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.ptrace.Tracee;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The {@link Guest} of one run: turns the stops of its engine into traps, and checks that it is
 * used by its own thread while its run and its lease last.
 */
public final class RunningGuest implements Guest {
  private static final int BREAKPOINTS = 4;
  private static final int DEBUG_CONTROL = 7;
  private static final long KIND_AND_LENGTH = 0xf;
  private static final int X32_BIT = 0x4000_0000;
  private static final long LOW_HALF = 0xffff_ffffL;

  /** The guest that the calling thread runs, if it runs one. */
  private static final ThreadLocal<RunningGuest> CURRENT = new ThreadLocal<>();

  private static final Trap INTERRUPTED = new Trap.Interrupted();
  private static final Trap STEP = new Trap.Step();

  private final GuestHost host;
  private final GuestEngine engine;
  private final Thread owner = Thread.currentThread();
  private final GuestRegisters registers = new GuestRegisters(this);
  private final GuestSegments segments = new GuestSegments(this);
  private final Interrupter interrupter;

  private boolean inCall;

  /**
   * The fault that it is stopped for and that can be examined, or null. Compared by identity: an
   * equal one may be of an earlier stop.
   */
  private Trap.@Nullable Fault fault;

  /** The details of {@link #fault} once it was examined: a fault can be delivered only once. */
  private @Nullable FaultDetails details;

  private long debugControl;
  private boolean over;

  /**
   * Makes the exception that ends the run, whatever its program does next; null while it may go on.
   */
  private volatile @Nullable Supplier<RuntimeException> end;

  RunningGuest(GuestHost host, GuestEngine engine) {
    this.host = host;
    this.engine = engine;
    this.interrupter = engine::interrupt;
  }

  private static long bits(BreakpointKind kind) {
    return switch (kind) {
      case EXECUTE -> 0;
      case WRITE -> 1;
      case ACCESS -> 3;
    };
  }

  /** The guest that the calling thread runs in this stub, or null. */
  public static @Nullable RunningGuest currentIn(Tracee stub) {
    RunningGuest guest = CURRENT.get();
    return guest != null && guest.host.tracee() == stub ? guest : null;
  }

  void begin() {
    CURRENT.set(this);
  }

  /** Ends the run: the guest's thread ends, and the guest is of no use. */
  void finish() {
    CURRENT.remove();
    over = true;
    engine.end();
  }

  /**
   * Has the run end by an exception, which the run's own thread makes. May be called from any
   * thread.
   */
  void endBy(Supplier<RuntimeException> cause) {
    end = cause;
    engine.interrupt();
  }

  GuestEngine engine() {
    return engine;
  }

  void checkUsable() {
    if (Thread.currentThread() != owner) {
      throw new WrongThreadException("a guest is for the thread that runs it: " + owner.getName());
    }
    if (over) {
      throw new IllegalStateException("this guest's run is over");
    }
    checkEnd();
    host.checkUsable();
  }

  private void checkEnd() {
    Supplier<RuntimeException> cause = end;
    if (cause != null) {
      throw cause.get();
    }
  }

  // ---- running ----

  @Override
  public Trap resume() {
    return resume(false);
  }

  @Override
  public Trap step() {
    return resume(true);
  }

  private Trap resume(boolean oneInstruction) {
    checkUsable();
    fault = null;
    inCall = false;
    details = null;
    host.guestRuns();
    GuestEngine.Stop stop;
    try {
      stop = engine.resume(oneInstruction);
    } finally {
      host.guestStopped();
    }
    checkEnd();
    try {
      return trap(stop);
    } catch (StubDiedException e) {
      return died(); // it died after the stop and before the stop was read
    }
  }

  private Trap trap(GuestEngine.Stop stop) {
    return switch (stop) {
      case SYSTEM_CALL -> systemCall();
      case VSYSCALL -> vsyscall();
      case FAULT -> fault();
      case STEP -> STEP;
      case BREAKPOINT -> new Trap.Breakpoint(engine.breakpoints(), engine.code());
      case INTERRUPTED -> INTERRUPTED;
      case DIED -> died();
    };
  }

  private Trap died() {
    return new Trap.Died(host.awaitDeath());
  }

  private Trap systemCall() {
    inCall = true;
    int number = engine.number();
    if (engine.architecture() == Abi.AUDIT_ARCH_I386) {
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
        engine.callAddress(),
        engine.argument(0) & mask,
        engine.argument(1) & mask,
        engine.argument(2) & mask,
        engine.argument(3) & mask,
        engine.argument(4) & mask,
        engine.argument(5) & mask);
  }

  private Trap vsyscall() {
    inCall = true;
    return new Trap.SystemCall(
        engine.vsyscallNumber(),
        SystemCallAbi.VSYSCALL,
        engine.register(Abi.REGS_rip),
        engine.register(Abi.REGS_rdi),
        engine.register(Abi.REGS_rsi),
        engine.register(Abi.REGS_rdx),
        0,
        0,
        0);
  }

  private Trap fault() {
    int signal = engine.signal();
    int code = engine.code();
    long rip = engine.register(Abi.REGS_rip);
    OptionalLong address =
        code == Abi.SI_KERNEL ? OptionalLong.empty() : OptionalLong.of(engine.address());
    Access access =
        signal == Abi.SIGSEGV && address.isPresent()
            ? AccessGuess.of(host.mappings(), code, address.getAsLong(), rip)
            : Access.UNKNOWN;
    fault = new Trap.Fault(signal, code, address, rip, access);
    return fault;
  }

  @Override
  public void complete(long result) {
    checkUsable();
    if (!inCall) {
      throw new IllegalStateException("the guest is not stopped at a system call");
    }
    engine.result(result);
  }

  @Override
  public Interrupter interrupter() {
    return interrupter;
  }

  // ---- the stopped guest ----

  @Override
  public Stub stub() {
    return host.stub();
  }

  @Override
  public StubMemory memory() {
    return host.stub().memory();
  }

  @Override
  public X86Registers registers() {
    checkUsable();
    return registers;
  }

  @Override
  public X86Segments segments() {
    checkUsable();
    return segments;
  }

  @Override
  public MemorySegment vectorState() {
    checkUsable();
    return engine.vectorState();
  }

  @Override
  public void vectorState(MemorySegment state) {
    checkUsable();
    if (state.byteSize() != engine.vectorState().byteSize() || !engine.vectorState(state)) {
      throw new IllegalArgumentException(
          "the kernel refuses this vector state of %d bytes".formatted(state.byteSize()));
    }
  }

  @Override
  public GuestState save() {
    checkUsable();
    long[] words = new long[Abi.REGS_SIZE / Long.BYTES];
    for (int i = 0; i < words.length; i++) {
      words[i] = engine.register(i * Long.BYTES);
    }
    return new GuestState(words, engine.vectorState().toArray(ValueLayout.JAVA_BYTE));
  }

  @Override
  public void restore(GuestState state) {
    checkUsable();
    long[] words = state.words();
    GuestRegisters.checkSelector("cs", words[Abi.REGS_cs / Long.BYTES], false);
    GuestRegisters.checkSelector("ss", words[Abi.REGS_ss / Long.BYTES], false);
    GuestRegisters.checkSelector("ds", words[Abi.REGS_ds / Long.BYTES], true);
    GuestRegisters.checkSelector("es", words[Abi.REGS_es / Long.BYTES], true);
    GuestRegisters.checkSelector("fs", words[Abi.REGS_fs / Long.BYTES], true);
    GuestRegisters.checkSelector("gs", words[Abi.REGS_gs / Long.BYTES], true);
    GuestRegisters.checkFlags(words[Abi.REGS_eflags / Long.BYTES]);
    GuestSegments.checkBase("fs", words[Abi.REGS_fs_base / Long.BYTES]);
    GuestSegments.checkBase("gs", words[Abi.REGS_gs_base / Long.BYTES]);
    vectorState(MemorySegment.ofArray(state.vectorState()));
    for (int offset = 0; offset < Abi.REGS_SIZE; offset += Long.BYTES) {
      engine.register(offset, words[offset / Long.BYTES]);
    }
    inCall = false;
  }

  @Override
  public FaultDetails examine(Trap.Fault asked) {
    checkUsable();
    FaultDetails known = details;
    if (fault == null || asked != fault) {
      throw new IllegalStateException("the guest is not stopped for " + asked);
    }
    if (known == null) {
      known = host.examine(engine);
      details = known;
    }
    return known;
  }

  @Override
  public void breakpoint(int slot, long address, BreakpointKind kind, int length) {
    checkUsable();
    checkSlot(slot);
    boolean known = length == 1 || length == 2 || length == 4 || length == 8;
    if (!known || address % length != 0 || (kind == BreakpointKind.EXECUTE && length != 1)) {
      throw new IllegalArgumentException(
          "a breakpoint cannot be %s of %d bytes at 0x%x".formatted(kind, length, address));
    }
    long page = address & -AddressSpace.PAGE_SIZE;
    if (!host.addressSpace().contains(page, AddressSpace.PAGE_SIZE)) {
      throw new IllegalArgumentException("0x%x is not the guest's to map".formatted(address));
    }
    clearBreakpoint(slot);
    engine.debugRegister(slot, address);
    long lengthBits = length == 8 ? 2 : length - 1L;
    long kindAndLength = bits(kind) | (lengthBits << 2);
    debugControl |= enableBit(slot) | (kindAndLength << kindShift(slot));
    engine.debugRegister(DEBUG_CONTROL, debugControl);
  }

  @Override
  public void clearBreakpoint(int slot) {
    checkUsable();
    checkSlot(slot);
    long without = debugControl & ~(enableBit(slot) | (KIND_AND_LENGTH << kindShift(slot)));
    if (without != debugControl) {
      debugControl = without;
      engine.debugRegister(DEBUG_CONTROL, debugControl);
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

  /** Runs a call in the guest's own stopped engine. */
  public long inject(int number, long a, long b, long c, long d, long e, long f) {
    checkUsable();
    if (details == null) {
      fault = null;
    }
    return engine.inject(number, a, b, c, d, e, f);
  }
}
