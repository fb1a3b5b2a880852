package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.process.ExitStatus;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.signal.SignalInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Prints system calls as strace(1) does, one line each. */
public final class Strace {
  private static final int RESULT_COLUMN = 40;

  private final Consumer<String> lines;
  private boolean manyTasks;

  /**
   * Creates a printer.
   *
   * @param lines receives the lines
   */
  public Strace(Consumer<String> lines) {
    this.lines = lines;
  }

  /** Prints a completed call. */
  void call(Task task, SystemCall call, Arguments arguments, long result) {
    String shown = call(call, task, arguments, result);
    if (task.isLeaving()) {
      print(task, shown, "?");
    } else if (call.result() == SystemCall.Result.ADDRESS && !Errno.isError(result)) {
      print(task, shown, "0x" + Long.toHexString(result));
    } else {
      print(task, shown, result(result));
    }
  }

  /** Prints a call that a signal interrupted. */
  void interrupted(Task task, SystemCall call, Arguments arguments) {
    print(task, call(call, task, arguments, -Errno.EINTR.number()), "? (interrupted)");
  }

  private static String call(SystemCall call, Task task, Arguments arguments, long result) {
    List<String> shown = new ArrayList<>();
    for (int i = 0; i < call.parameters().size(); i++) {
      String text = call.parameters().get(i).show(task, arguments, i, result);
      if (text != null) {
        shown.add(text);
      }
    }
    return call.name() + "(" + String.join(", ", shown) + ")";
  }

  /** Prints a call that the kernel does not support. */
  void unknown(Task task, String name, Arguments arguments, long result) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      words.add("0x" + Long.toHexString(arguments.word(i)));
    }
    print(task, name + "(" + String.join(", ", words) + ")", result(result));
  }

  private static String result(long result) {
    if (!Errno.isError(result)) {
      return Long.toString(result);
    }
    Errno errno = Errno.of((int) -result);
    return "-1 " + errno + " (" + errno.message() + ")";
  }

  private void print(Task task, String call, String result) {
    int padding = Math.max(1, RESULT_COLUMN - call.length());
    print(task, call + " ".repeat(padding) + "= " + result);
  }

  /** Prints a line, with the tid once there is more than one thread. */
  private void print(Task task, String line) {
    manyTasks |= task.table().taskCount() > 1;
    lines.accept(manyTasks ? "[pid %5d] %s".formatted(task.tid(), line) : line);
  }

  /** Prints a signal that is delivered. */
  public void signal(Task task, SignalInfo info) {
    String name = Signal.name(info.signal());
    String code = Signal.codeName(info.signal(), info.code());
    print(task, "--- %s {si_signo=%s, si_code=%s%s} ---".formatted(name, name, code, fields(info)));
  }

  private static String fields(SignalInfo info) {
    return switch (info.fields()) {
      case SignalInfo.Sender _ when info.code() == SignalInfo.SI_KERNEL -> "";
      case SignalInfo.Sender(int pid, int uid, long value) ->
          ", si_pid=%d, si_uid=%d".formatted(pid, uid) + value(value);
      case SignalInfo.Child(int pid, int uid, int status) ->
          ", si_pid=%d, si_uid=%d, si_status=%s, si_utime=0, si_stime=0"
              .formatted(
                  pid, uid, info.code() == ExitStatus.CLD_EXITED ? status : Signal.name(status));
      case SignalInfo.Fault(long address, _) -> ", si_addr=" + pointer(address);
      case SignalInfo.Expiry(int timer, int overrun, long value) ->
          ", si_timerid=%d, si_overrun=%d".formatted(timer, overrun) + value(value);
      case SignalInfo.Given _ -> "";
    };
  }

  private static String value(long value) {
    return value == 0 ? "" : ", si_int=%d, si_ptr=%s".formatted((int) value, pointer(value));
  }

  private static String pointer(long address) {
    return address == 0 ? "NULL" : "0x" + Long.toHexString(address);
  }

  /** Prints the end of a process by exit. */
  public void exited(Task task, int status) {
    print(task, "+++ exited with " + status + " +++");
  }

  /** Prints the end of a process by a signal. */
  public void killed(Task task, int signal) {
    print(task, "+++ killed by " + Signal.name(signal) + " +++");
  }
}
