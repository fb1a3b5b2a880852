package dev.stubpool.support;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.testing.Proc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Keeps a stub in the middle of a system call, until it is killed or let go on: a filter that stubs
 * inherit sends every call of the stub image to a listener (seccomp_unotify(2)), which answers
 * those of all stubs but one. It needs no privilege. The filter cannot be removed, so this is for a
 * JVM of its own.
 */
public final class HeldCalls {
  private static final String DONE = "as expected";
  private static final String SKIPPED = "skipped: ";

  private static final int SYS_SECCOMP = 317;
  private static final int SYS_IOCTL = 16;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int SECCOMP_SET_MODE_FILTER = 1;
  private static final int SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
  private static final int SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
  private static final int SECCOMP_RET_ALLOW = 0x7fff_0000;
  private static final int SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;
  private static final int SECCOMP_IOCTL_NOTIF_RECV = 0xc050_2100;
  private static final int SECCOMP_IOCTL_NOTIF_SEND = 0xc018_2101;

  // struct seccomp_notif and seccomp_notif_resp, linux/seccomp.h.
  private static final int NOTIFICATION_SIZE = 80;
  private static final int NOTIFICATION_PID = 8;
  private static final int ANSWER_SIZE = 24;
  private static final int ANSWER_FLAGS = 20;

  // linux/bpf_common.h; the instruction pointer in struct seccomp_data.
  private static final int LOAD_WORD = 0x20;
  private static final int JUMP_IF_EQUAL = 0x15;
  private static final int JUMP_IF_GREATER_OR_EQUAL = 0x35;
  private static final int RETURN = 0x06;
  private static final int INSTRUCTION_POINTER = 8;

  private final Arena arena = Arena.global();
  private final int listener;
  private volatile int victim;

  /** The number of the notification of the held call, or 0. */
  private volatile long held;

  private HeldCalls(int listener) {
    this.listener = listener;
  }

  /** A test that needs calls to be held, in a JVM of its own. */
  public interface Program {
    /** Performs the test, and leaves no stubs. */
    void run(HeldCalls calls) throws Exception;
  }

  /** Performs a test, and prints for {@link #checkOutput} that it passed, or why it cannot run. */
  public static void perform(Program test) throws Exception {
    HeldCalls calls;
    try {
      calls = install();
    } catch (UnsupportedOperationException e) {
      System.out.println(SKIPPED + e.getMessage());
      return;
    }
    test.run(calls);
    assertThat(Proc.stubs()).isEmpty();
    System.out.println(DONE);
  }

  /** Checks all that a JVM printed which ran {@link #perform}; skips the test if that could not. */
  public static void checkOutput(String output) {
    Assumptions.assumeFalse(output.startsWith(SKIPPED), output);
    assertThat(output).isEqualTo(DONE + "\n");
  }

  /**
   * Installs the filter for the calling thread, and all threads and processes that it makes later.
   *
   * @throws UnsupportedOperationException if the kernel refuses, for it allows one listener only
   */
  private static HeldCalls install() {
    StubImage image = StubImage.get();
    long from = image.base();
    long to = from + Abi.IMAGE_STUB_SIZE;
    if (from >>> 32 != to >>> 32) {
      throw new AssertionError("the filter compares low halves only");
    }
    int[][] filter = {
      {LOAD_WORD, 0, 0, INSTRUCTION_POINTER + Integer.BYTES},
      {JUMP_IF_EQUAL, 0, 4, (int) (from >>> 32)},
      {LOAD_WORD, 0, 0, INSTRUCTION_POINTER},
      {JUMP_IF_GREATER_OR_EQUAL, 0, 2, (int) from},
      {JUMP_IF_GREATER_OR_EQUAL, 1, 0, (int) to},
      {RETURN, 0, 0, SECCOMP_RET_USER_NOTIF},
      {RETURN, 0, 0, SECCOMP_RET_ALLOW},
    };
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment code = arena.allocate(8L * filter.length, 8);
      for (int i = 0; i < filter.length; i++) {
        code.set(JAVA_SHORT, 8L * i, (short) filter[i][0]);
        code.set(JAVA_BYTE, 8L * i + 2, (byte) filter[i][1]);
        code.set(JAVA_BYTE, 8L * i + 3, (byte) filter[i][2]);
        code.set(JAVA_INT, 8L * i + 4, filter[i][3]);
      }
      MemorySegment program = arena.allocate(16, 8);
      program.set(JAVA_SHORT, 0, (short) filter.length);
      program.set(JAVA_LONG, 8, code.address());
      Kernel.call(Abi.SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0);
      long listener =
          Kernel.call(
              SYS_SECCOMP,
              SECCOMP_SET_MODE_FILTER,
              SECCOMP_FILTER_FLAG_NEW_LISTENER,
              program.address());
      if (listener < 0) {
        throw new UnsupportedOperationException(
            "seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER): errno " + -listener);
      }
      HeldCalls calls = new HeldCalls((int) listener);
      Thread.ofPlatform().daemon().start(calls::answer);
      return calls;
    }
  }

  private void answer() {
    MemorySegment notification = arena.allocate(NOTIFICATION_SIZE, Long.BYTES);
    MemorySegment answer = arena.allocate(ANSWER_SIZE, Long.BYTES);
    while (true) {
      notification.fill((byte) 0);
      long result =
          Kernel.call(
              SYS_IOCTL, listener, SECCOMP_IOCTL_NOTIF_RECV & 0xffff_ffffL, notification.address());
      if (result == -Errno.EINTR || result == -Errno.ENOENT) {
        continue; // the caller died before it was answered
      }
      if (result < 0) {
        throw new AssertionError("SECCOMP_IOCTL_NOTIF_RECV: errno " + -result);
      }
      if (notification.get(JAVA_INT, NOTIFICATION_PID) == victim) {
        held = notification.get(JAVA_LONG, 0);
        continue;
      }
      letGo(notification.get(JAVA_LONG, 0), answer);
    }
  }

  private void letGo(long call, MemorySegment answer) {
    answer.set(JAVA_LONG, 0, call);
    answer.set(JAVA_INT, ANSWER_FLAGS, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    long result =
        Kernel.call(SYS_IOCTL, listener, SECCOMP_IOCTL_NOTIF_SEND & 0xffff_ffffL, answer.address());
    if (result < 0 && result != -Errno.ENOENT) {
      throw new AssertionError("SECCOMP_IOCTL_NOTIF_SEND: errno " + -result);
    }
  }

  /**
   * Has the next call of a stub, a source, or another thread of a stub last until it is killed, or
   * let go on.
   */
  public void hold(int tid) {
    held = 0;
    victim = tid;
  }

  /** Lets the held call go on, and holds no more. */
  public void release() {
    victim = 0;
    try (Arena confined = Arena.ofConfined()) {
      letGo(held, confined.allocate(ANSWER_SIZE, Long.BYTES));
    }
  }

  /** Waits until the call is under way. */
  public void awaitCall() {
    Proc.await("the call to be held", () -> held != 0);
  }

  /** Waits until a thread of this JVM is blocked in waitid(2) for a process or thread. */
  public static void awaitWait(int waiter, int pid) {
    Path call = Path.of("/proc/self/task/" + waiter + "/syscall");
    String waiting = "%d 0x%x 0x%x ".formatted(Abi.SYS_waitid, Abi.P_PID, pid);
    Proc.await("the wait for " + pid, () -> Proc.read(call).startsWith(waiting));
  }
}
