package dev.stubpool.kernel.call;

import dev.stubpool.kernel.memory.UserMemory;

/** The arguments of a system call, converted to the types of its manual page. */
public final class Arguments {
  /** The directory descriptor for the working directory. */
  static final int AT_FDCWD = -100;

  private final UserMemory memory;
  private final long[] words;

  Arguments(UserMemory memory, long... words) {
    this.memory = memory;
    this.words = words.clone();
  }

  /** An argument of type {@code long}, {@code size_t}, {@code off_t} or pointer. */
  long word(int index) {
    return words[index];
  }

  /** An argument of type {@code int}; the upper half is ignored. */
  int integer(int index) {
    return (int) words[index];
  }

  /** The string to which an argument points. */
  String string(int index) {
    return memory.readString(words[index]);
  }
}
