package dev.stubpool.kernel.load;

import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.memory.UserMemory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * The initial stack of a program, System V ABI for x86-64, 3.4.1. From the top down: an empty word,
 * the strings, the random bytes; then, from the pointer up, argc, argv, the environment, the
 * auxiliary vector.
 *
 * @param pointer the initial rsp
 * @param content the bytes from the pointer up
 */
record FirstStack(long pointer, ByteBuffer content) {
  /** The number of bytes for AT_RANDOM. */
  static final int RANDOM_SIZE = 16;

  private static final int ALIGNMENT = 16;

  /**
   * Lays out a stack.
   *
   * @param top the first address after it
   * @param path the path of the program, for AT_EXECFN
   * @param random {@link #RANDOM_SIZE} bytes
   * @param auxv keys and values, except those that point to this stack
   */
  static FirstStack lay(
      long top,
      List<String> arguments,
      List<String> environment,
      String path,
      byte[] random,
      SequencedMap<Integer, Long> auxv) {
    List<byte[]> strings =
        Stream.of(arguments.stream(), environment.stream(), Stream.of("x86_64", path))
            .flatMap(all -> all.map(UserMemory::terminated))
            .toList();
    int stringBytes = strings.stream().mapToInt(s -> s.length).sum();
    long stringsAt = top - Long.BYTES - stringBytes;
    long randomAt = (stringsAt - RANDOM_SIZE) & -ALIGNMENT;
    int pairs = auxv.size() + 4;
    int words = 1 + arguments.size() + 1 + environment.size() + 1 + 2 * pairs;
    long pointer = (randomAt - (long) words * Long.BYTES) & -ALIGNMENT;

    ByteBuffer stack = Struct.allocate((int) (top - pointer));
    long at = stringsAt;
    long platformAt = top - Long.BYTES - strings.getLast().length - "x86_64".length() - 1;
    long pathAt = top - Long.BYTES - strings.getLast().length;
    stack.putLong(arguments.size());
    for (int i = 0; i < arguments.size() + environment.size(); i++) {
      if (i == arguments.size()) {
        stack.putLong(0);
      }
      stack.putLong(at);
      at += strings.get(i).length;
    }
    if (environment.isEmpty()) {
      stack.putLong(0);
    }
    stack.putLong(0);
    for (Map.Entry<Integer, Long> entry : auxv.entrySet()) {
      stack.putLong(entry.getKey()).putLong(entry.getValue());
    }
    stack.putLong(Auxv.AT_PLATFORM).putLong(platformAt);
    stack.putLong(Auxv.AT_EXECFN).putLong(pathAt);
    stack.putLong(Auxv.AT_RANDOM).putLong(randomAt);
    stack.putLong(Auxv.AT_NULL).putLong(0);
    stack.position((int) (randomAt - pointer)).put(random);
    stack.position((int) (stringsAt - pointer));
    strings.forEach(stack::put);
    return new FirstStack(pointer, stack.rewind());
  }
}
