package dev.stubpool;

import java.util.OptionalLong;

/**
 * Why a guest stopped. Values are immutable, copied once, and what they say of addresses and
 * arguments is the guest's own word.
 */
public sealed interface Trap {
  /** The guest wants to make a system call, and it was not made: {@link Guest#complete}. */
  final class SystemCall implements Trap {
    /** The number of arguments. */
    public static final int ARGUMENTS = 6;

    private final int number;
    private final SystemCallAbi abi;
    private final long instructionPointer;
    private final long a;
    private final long b;
    private final long c;
    private final long d;
    private final long e;
    private final long f;

    SystemCall(
        int number,
        SystemCallAbi abi,
        long instructionPointer,
        long a,
        long b,
        long c,
        long d,
        long e,
        long f) {
      this.number = number;
      this.abi = abi;
      this.instructionPointer = instructionPointer;
      this.a = a;
      this.b = b;
      this.c = c;
      this.d = d;
      this.e = e;
      this.f = f;
    }

    /** The number, in the table of the {@link #abi}; of X32 without bit 30. May be negative. */
    public int number() {
      return number;
    }

    /** Argument {@code index}, 0 to 5; of I386 zero-extended. Of VSYSCALL the last three are 0. */
    public long argument(int index) {
      return switch (index) {
        case 0 -> a;
        case 1 -> b;
        case 2 -> c;
        case 3 -> d;
        case 4 -> e;
        case 5 -> f;
        default -> throw new IndexOutOfBoundsException("argument " + index + " of 0 to 5");
      };
    }

    /** All six, in an array of the caller's own. */
    public long[] arguments() {
      return new long[] {a, b, c, d, e, f};
    }

    /** How the call was made. */
    public SystemCallAbi abi() {
      return abi;
    }

    /** Where the guest goes on: behind the instruction. */
    public long instructionPointer() {
      return instructionPointer;
    }

    @Override
    public String toString() {
      return "SystemCall[%s %d(0x%x, 0x%x, 0x%x, 0x%x, 0x%x, 0x%x), rip 0x%x]"
          .formatted(abi, number, a, b, c, d, e, f, instructionPointer);
    }
  }

  /**
   * An instruction cannot be executed; rip is on it. To resume without having mended anything
   * faults again. (Not so {@code into} and {@code int 4}: rip is behind these.)
   */
  final class Fault implements Trap {
    private final Guest guest;
    private final long stop;
    private final int signal;
    private final int code;
    private final long address;
    private final long instructionPointer;

    Fault(Guest guest, long stop, int signal, int code, long address, long instructionPointer) {
      this.guest = guest;
      this.stop = stop;
      this.signal = signal;
      this.code = code;
      this.address = address;
      this.instructionPointer = instructionPointer;
    }

    /** SIGSEGV, SIGBUS, SIGILL or SIGFPE, signal(7). */
    public int signal() {
      return signal;
    }

    /** si_code, sigaction(2); SI_KERNEL (0x80) where the kernel knows no better. */
    public int code() {
      return code;
    }

    /**
     * The address that was to be accessed, or of SIGILL and SIGFPE that of the instruction. Empty
     * where the CPU does not tell: a non-canonical address, a privileged or misaligned access.
     */
    public OptionalLong address() {
      return code == Guest.SI_KERNEL ? OptionalLong.empty() : OptionalLong.of(address);
    }

    /** Where the instruction is. */
    public long instructionPointer() {
      return instructionPointer;
    }

    /**
     * What the access was for, as far as the library's own mappings of now tell: ask before the
     * guest or another one of its stub goes on, or something is mapped. Where they do not, {@link
     * Guest#examine} does.
     */
    public Access access() {
      return guest.guess(this);
    }

    Guest guest() {
      return guest;
    }

    long stop() {
      return stop;
    }

    @Override
    public String toString() {
      return "Fault[signal %d, code %d, address 0x%x, rip 0x%x]"
          .formatted(signal, code, address, instructionPointer);
    }
  }

  /** {@link Guest.Interrupter#interrupt} was called. May be spurious, and follow another trap. */
  record Interrupted() implements Trap {
    static final Interrupted INSTANCE = new Interrupted();
  }

  /** One instruction was executed: after {@link Guest#step}, or the guest has set its trap flag. */
  record Step() implements Trap {
    static final Step INSTANCE = new Step();
  }

  /**
   * A breakpoint was hit: one of {@link Guest#breakpoint}, or an instruction of the guest's own,
   * {@code int3} with rip behind it or {@code icebp}.
   *
   * @param slots which of the guest's breakpoints, a bit each; 0 for an instruction
   * @param code si_code: TRAP_HWBKPT (4), TRAP_TRACE (2) if a step ended there too, SI_KERNEL
   *     (0x80) for int3, TRAP_BRKPT (1) for icebp
   */
  record Breakpoint(int slots, int code) implements Trap {}

  /**
   * The stub's process is dead.
   *
   * @param how such as "killed by SIGKILL"
   */
  record Died(String how) implements Trap {}
}
