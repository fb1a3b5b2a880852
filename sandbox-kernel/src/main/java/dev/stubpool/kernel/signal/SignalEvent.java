package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;

/**
 * The notification of a timer, {@code struct sigevent} of sigevent(3type).
 *
 * @param value the value sent with the signal
 * @param signal the signal's number
 * @param kind SIGEV_*
 * @param tid the thread to notify, for SIGEV_THREAD_ID
 */
public record SignalEvent(long value, int signal, int kind, int tid) {
  /** The size of the structure in bytes. */
  public static final int SIZE = 64;

  public static final int SIGEV_SIGNAL = 0;
  public static final int SIGEV_NONE = 1;
  public static final int SIGEV_THREAD = 2;
  public static final int SIGEV_THREAD_ID = 4;

  /** Parses a structure. */
  public static SignalEvent parse(byte[] bytes) {
    ByteBuffer words = Struct.view(bytes);
    SignalEvent event =
        new SignalEvent(words.getLong(), words.getInt(), words.getInt(), words.getInt());
    boolean known =
        switch (event.kind) {
          case SIGEV_NONE -> true;
          case SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID ->
              event.signal >= 1 && event.signal <= Signal.SIGRTMAX;
          default -> false;
        };
    if (!known) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return event;
  }

  /** The default notification of a timer. */
  public static SignalEvent ofTimer(int id) {
    return new SignalEvent(id, Signal.SIGALRM, SIGEV_SIGNAL, 0);
  }
}
