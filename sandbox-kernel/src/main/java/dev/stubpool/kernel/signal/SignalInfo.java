package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/**
 * What comes with a signal, {@code siginfo_t} of sigaction(2).
 *
 * @param signal its number
 * @param code si_code: where it comes from
 * @param fields what else there is: of a kind that goes with the code
 * @param source who is told when it is taken; null for nobody
 */
public record SignalInfo(int signal, int code, Fields fields, Source source) {
  /** By kill(2). */
  public static final int SI_USER = 0;

  /** By the kernel. */
  public static final int SI_KERNEL = 0x80;

  /** By sigqueue(3). */
  public static final int SI_QUEUE = -1;

  /** By a timer of timer_create(2). */
  public static final int SI_TIMER = -2;

  /** By tgkill(2). */
  public static final int SI_TKILL = -6;

  /** Bytes of a {@code siginfo_t}. */
  public static final int SIZE = 128;

  static final int ERRNO = 4;
  static final int CODE = 8;
  static final int FIELDS = 16;

  /** Whatever signals a timer sends, it sends the next one only when the last was taken. */
  @FunctionalInterface
  public interface Source {
    /**
     * The signal no longer waits.
     *
     * @return how many more there were meanwhile, timer_getoverrun(2)
     */
    int taken();
  }

  /** The union in {@code siginfo_t}. */
  public sealed interface Fields {
    /** Puts them into a {@code siginfo_t}. */
    void put(ByteBuffer info);
  }

  /** Of one that a process sent: who it is, and what it sent along. */
  public record Sender(int pid, int uid, long value) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putInt(FIELDS, pid).putInt(FIELDS + 4, uid).putLong(FIELDS + 8, value);
    }
  }

  /** Of SIGCHLD: which child, and its exit status or a signal. */
  public record Child(int pid, int uid, int status) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putInt(FIELDS, pid).putInt(FIELDS + 4, uid).putInt(FIELDS + 8, status);
    }
  }

  /** Of one that an instruction caused: the address that it is about. */
  public record Fault(long address, CpuTrap trap) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putLong(FIELDS, address);
    }
  }

  /** Of a timer of timer_create(2). */
  public record Expiry(int timer, int overrun, long value) implements Fields {
    @Override
    public void put(ByteBuffer info) {
      info.putInt(FIELDS, timer).putInt(FIELDS + 4, overrun).putLong(FIELDS + 8, value);
    }
  }

  /** As a program has made them itself, rt_sigqueueinfo(2). */
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

  /** One of the kernel's own. */
  public static SignalInfo ofKernel(int signal) {
    return new SignalInfo(signal, SI_KERNEL, new Sender(0, 0, 0), null);
  }

  /** One that a process sends. */
  public static SignalInfo ofProcess(int signal, int code, int pid, int uid) {
    return new SignalInfo(signal, code, new Sender(pid, uid, 0), null);
  }

  /** One that an instruction caused, of which no more is known. */
  public static SignalInfo ofFault(int signal, int code, long address) {
    return ofFault(signal, code, address, CpuTrap.NONE);
  }

  /** One that an instruction caused. */
  public static SignalInfo ofFault(int signal, int code, long address, CpuTrap trap) {
    return new SignalInfo(signal, code, new Fault(address, trap), null);
  }

  /** SIGCHLD. */
  public static SignalInfo ofChild(int signal, int code, int pid, int uid, int status) {
    return new SignalInfo(signal, code, new Child(pid, uid, status), null);
  }

  /** One of a timer's, timer_create(2). */
  public static SignalInfo ofTimer(int signal, int timer, long value, Source source) {
    return new SignalInfo(signal, SI_TIMER, new Expiry(timer, 0, value), source);
  }

  /** One that comes with what a program says. */
  public static SignalInfo given(int signal, byte[] info) {
    ByteBuffer words = Struct.view(info);
    int code = words.getInt(CODE);
    Fields fields =
        code == SI_QUEUE
            ? new Sender(words.getInt(FIELDS), words.getInt(FIELDS + 4), words.getLong(FIELDS + 8))
            : new Given(info.clone());
    return new SignalInfo(signal, code, fields, null);
  }

  /** The same, from somebody who is told when it is taken. */
  public SignalInfo from(Source told) {
    return new SignalInfo(signal, code, fields, told);
  }

  /** It no longer waits: as whoever took it gets it. */
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
