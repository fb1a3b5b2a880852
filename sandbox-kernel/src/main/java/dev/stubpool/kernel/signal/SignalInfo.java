package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/**
 * A signal with its information, {@code siginfo_t} of sigaction(2).
 *
 * @param signal the signal's number
 * @param code si_code, its origin
 * @param fields the further fields, of a type that matches the code
 * @param source is notified when the signal is taken; may be null
 */
public record SignalInfo(int signal, int code, Fields fields, Source source) {
  /** Sent by kill(2). */
  public static final int SI_USER = 0;

  /** Sent by the kernel. */
  public static final int SI_KERNEL = 0x80;

  /** Sent by sigqueue(3). */
  public static final int SI_QUEUE = -1;

  /** Sent by a timer of timer_create(2). */
  public static final int SI_TIMER = -2;

  /** Sent by tgkill(2). */
  public static final int SI_TKILL = -6;

  /** The size of a {@code siginfo_t} in bytes. */
  public static final int SIZE = 128;

  static final int ERRNO = 4;
  static final int CODE = 8;
  static final int FIELDS = 16;

  /** A source of signals that is notified when its signal is taken, such as a timer. */
  @FunctionalInterface
  public interface Source {
    /**
     * Called when the signal is no longer pending.
     *
     * @return the overrun, timer_getoverrun(2)
     */
    int taken();
  }

  /** The union in {@code siginfo_t}. */
  public sealed interface Fields {
    /** Stores the fields in a {@code siginfo_t}. */
    void put(ByteBuffer info);
  }

  /** The fields of a signal from a process: the sender and a value. */
  public record Sender(int pid, int uid, long value) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putInt(FIELDS, pid).putInt(FIELDS + 4, uid).putLong(FIELDS + 8, value);
    }
  }

  /** The fields of SIGCHLD: the child, and its exit status or signal. */
  public record Child(int pid, int uid, int status) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putInt(FIELDS, pid).putInt(FIELDS + 4, uid).putInt(FIELDS + 8, status);
    }
  }

  /** The fields of a signal that an instruction caused: the fault's address. */
  public record Fault(long address, CpuTrap trap) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putLong(FIELDS, address);
    }
  }

  /** The fields of a signal from a timer of timer_create(2). */
  public record Expiry(int timer, int overrun, long value) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putInt(FIELDS, timer).putInt(FIELDS + 4, overrun).putLong(FIELDS + 8, value);
    }
  }

  /** Fields given by a program, rt_sigqueueinfo(2). */
  public static final class Given implements Fields {
    private final byte[] info;

    private Given(byte[] info) {
      this.info = info;
    }

    @Override
    public void put(ByteBuffer to) {
      to.put(ERRNO, info, ERRNO, SIZE - ERRNO);
    }
  }

  /** A signal from the kernel. */
  public static SignalInfo ofKernel(int signal) {
    return new SignalInfo(signal, SI_KERNEL, new Sender(0, 0, 0), null);
  }

  /** A signal from a process. */
  public static SignalInfo ofProcess(int signal, int code, int pid, int uid) {
    return new SignalInfo(signal, code, new Sender(pid, uid, 0), null);
  }

  /** A signal that an instruction caused, without the CPU's description. */
  public static SignalInfo ofFault(int signal, int code, long address) {
    return ofFault(signal, code, address, CpuTrap.NONE);
  }

  /** A signal that an instruction caused. */
  public static SignalInfo ofFault(int signal, int code, long address, CpuTrap trap) {
    return new SignalInfo(signal, code, new Fault(address, trap), null);
  }

  /** SIGCHLD. */
  public static SignalInfo ofChild(int signal, int code, int pid, int uid, int status) {
    return new SignalInfo(signal, code, new Child(pid, uid, status), null);
  }

  /** A signal from a timer, timer_create(2). */
  public static SignalInfo ofTimer(int signal, int timer, long value, Source source) {
    return new SignalInfo(signal, SI_TIMER, new Expiry(timer, 0, value), source);
  }

  /** A signal with information given by a program. */
  public static SignalInfo given(int signal, byte[] info) {
    ByteBuffer words = Struct.view(info);
    int code = words.getInt(CODE);
    Fields fields =
        code == SI_QUEUE
            ? new Sender(words.getInt(FIELDS), words.getInt(FIELDS + 4), words.getLong(FIELDS + 8))
            : new Given(info.clone());
    return new SignalInfo(signal, code, fields, null);
  }

  /** Returns the signal with a source. */
  public SignalInfo from(Source told) {
    return new SignalInfo(signal, code, fields, told);
  }

  /** Called when it is taken; returns the signal to deliver. */
  SignalInfo taken() {
    if (source == null) {
      return this;
    }
    int overrun = source.taken();
    return fields instanceof Expiry(int timer, _, long value)
        ? new SignalInfo(signal, code, new Expiry(timer, overrun, value), null)
        : this;
  }

  /** The {@code siginfo_t}. */
  public byte[] bytes() {
    ByteBuffer info = Struct.allocate(SIZE);
    fields.put(info);
    return Struct.bytes(info.putInt(0, signal).putInt(CODE, code));
  }
}
