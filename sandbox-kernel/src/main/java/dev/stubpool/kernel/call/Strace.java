package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.task.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Prints system calls as strace(1) does, one line each. */
public final class Strace {
  private static final int RESULT_COLUMN = 40;

  private final Consumer<String> lines;

  /** Prints to somebody who takes lines. */
  public Strace(Consumer<String> lines) {
    this.lines = lines;
  }

  /** A call that was served. */
  void call(Task task, SystemCall call, Arguments arguments, long result) {
    String shown = call(call, task, arguments, result);
    if (task.exitStatus().isPresent()) {
      print(shown, "?");
    } else if (call.result() == SystemCall.Result.ADDRESS && !Errno.isError(result)) {
      print(shown, "0x" + Long.toHexString(result));
    } else {
      print(shown, result(result));
    }
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

  /** A call that the kernel does not have. */
  void unknown(String name, Arguments arguments, long result) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      words.add("0x" + Long.toHexString(arguments.word(i)));
    }
    print(name + "(" + String.join(", ", words) + ")", result(result));
  }

  private static String result(long result) {
    if (!Errno.isError(result)) {
      return Long.toString(result);
    }
    Errno errno = Errno.of((int) -result);
    return "-1 " + errno + " (" + errno.message() + ")";
  }

  private void print(String call, String result) {
    int padding = Math.max(1, RESULT_COLUMN - call.length());
    lines.accept(call + " ".repeat(padding) + "= " + result);
  }

  /** A signal that came from an instruction. */
  public void fault(int signal, int code, OptionalLong address) {
    String where = address.isEmpty() ? "" : ", si_addr=" + pointer(address.getAsLong());
    lines.accept(
        "--- %s {si_signo=%s, si_code=%s%s} ---"
            .formatted(
                Signal.name(signal), Signal.name(signal), Signal.codeName(signal, code), where));
  }

  private static String pointer(long address) {
    return address == 0 ? "NULL" : "0x" + Long.toHexString(address);
  }

  /** The end, by exit. */
  public void exited(int status) {
    lines.accept("+++ exited with " + status + " +++");
  }

  /** The end, by a signal. */
  public void killed(int signal) {
    lines.accept("+++ killed by " + Signal.name(signal) + " +++");
  }
}
