package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.load.ElfException;
import dev.stubpool.kernel.process.Execution;
import dev.stubpool.kernel.process.GuestProcess;
import dev.stubpool.kernel.process.Task;
import java.util.ArrayList;
import java.util.List;

/** System calls that execute programs. */
final class ExecCalls {
  private static final int AT_EMPTY_PATH = 0x1000;

  /** The limit for the total bytes of strings, that of execve(2) with an 8 MiB stack. */
  private static final int MOST_BYTES = 2 << 20;

  private ExecCalls() {}

  /** execve(2). */
  static long execve(Task task, Arguments arguments) {
    return execute(task, arguments.string(0), arguments.word(1), arguments.word(2));
  }

  /** execveat(2). */
  static long execveat(Task task, Arguments arguments) {
    String path = arguments.string(1);
    int directory = arguments.integer(0);
    boolean byDescriptor = path.isEmpty() && Bits.any(arguments.integer(4), AT_EMPTY_PATH);
    if (!byDescriptor && path.isEmpty()) {
      throw new ErrnoException(Errno.ENOENT);
    }
    String whole = path;
    if (!path.startsWith("/") && directory != Arguments.AT_FDCWD) {
      OpenFile _ = Descriptors.any(task, directory);
      whole =
          "/dev/fd/" + directory + (byDescriptor ? "" : "/" + path); // the name that scripts get
    }
    return execute(task, whole, arguments.word(2), arguments.word(3));
  }

  private static long execute(Task task, String path, long argv, long envp) {
    List<String> arguments = strings(task, argv);
    List<String> environment = strings(task, envp);
    GuestProcess process = task.process();
    try {
      Execution.load(
              task.table(),
              named -> OpenCalls.openProgram(task, named),
              path,
              arguments.isEmpty() ? List.of("") : arguments, // as Linux does
              environment,
              process.identity())
          .replace(task);
      return 0;
    } catch (ElfException e) {
      if (e.errno() != Errno.ENOEXEC) {
        task.table().tell(path + " " + e.getMessage());
      }
      throw new ErrnoException(e.errno());
    }
  }

  /** Reads the strings of a null-terminated array of pointers. */
  private static List<String> strings(Task task, long array) {
    List<String> strings = new ArrayList<>();
    long bytes = 0;
    for (long at = array; at != 0; at += Long.BYTES) {
      long address = task.memory().readLong(at);
      if (address == 0) {
        break;
      }
      String string = task.memory().readArgument(address);
      bytes += string.length() + 1L + Long.BYTES;
      if (bytes > MOST_BYTES) {
        throw new ErrnoException(Errno.E2BIG);
      }
      strings.add(string);
    }
    return strings;
  }
}
