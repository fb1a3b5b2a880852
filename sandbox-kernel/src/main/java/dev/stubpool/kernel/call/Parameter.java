package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.MapFlags;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.process.Task;
import java.nio.charset.StandardCharsets;

/** The types of system call arguments, with their formats as of strace(1). */
enum Parameter {
  INTEGER {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return Integer.toString(arguments.integer(index));
    }
  },
  /** A {@code long} or a size. */
  NUMBER {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return Long.toString(arguments.word(index));
    }
  },
  ADDRESS {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return address(arguments.word(index));
    }
  },
  /** A word of unspecified type. */
  HEX {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      long word = arguments.word(index);
      return word == 0 ? "0" : "0x" + Long.toHexString(word);
    }
  },
  DIRECTORY {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      int number = arguments.integer(index);
      return number == Arguments.AT_FDCWD ? "AT_FDCWD" : Integer.toString(number);
    }
  },
  STRING {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      long address = arguments.word(index);
      try {
        byte[] bytes = arguments.string(index).getBytes(StandardCharsets.UTF_8);
        return Quoted.of(bytes, bytes.length, false);
      } catch (ErrnoException _) {
        return address(address);
      }
    }
  },
  /** Bytes that the call reads; the next argument is their number. */
  DATA_IN {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return data(task, arguments.word(index), arguments.word(index + 1));
    }
  },
  /** Bytes that the call has written; its result is their number. */
  DATA_OUT {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      long address = arguments.word(index);
      return result < 0 ? address(address) : data(task, address, result);
    }
  },
  OPEN_FLAGS {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return OpenFlags.show(arguments.integer(index));
    }
  },
  /** The mode of a new file; not shown if the flags before it create none. */
  CREATION_MODE {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      boolean creates =
          (arguments.integer(index - 1) & (OpenFlags.O_CREAT | OpenFlags.TMPFILE_BIT)) != 0;
      return creates ? MODE.show(task, arguments, index, result) : null;
    }
  },
  MODE {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return "0" + Integer.toOctalString(arguments.integer(index));
    }
  },
  PROTECTION {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return MapFlags.showProtection(arguments.word(index));
    }
  },
  MAP_FLAGS {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return MapFlags.show(arguments.word(index));
    }
  },
  SIGNAL {
    @Override
    String show(Task task, Arguments arguments, int index, long result) {
      return Signal.name(arguments.integer(index));
    }
  };

  /** The limit for the bytes that are printed, that of strace. */
  private static final int MOST = 32;

  /**
   * Formats an argument.
   *
   * @param result the result of the call
   * @return the text, or null if the argument is not shown
   */
  abstract String show(Task task, Arguments arguments, int index, long result);

  private static String address(long word) {
    return word == 0 ? "NULL" : "0x" + Long.toHexString(word);
  }

  private static String data(Task task, long address, long size) {
    try {
      byte[] bytes = task.memory().read(address, Math.clamp(size, 0, MOST));
      return Quoted.of(bytes, bytes.length, size > MOST);
    } catch (ErrnoException _) {
      return address(address);
    }
  }
}
