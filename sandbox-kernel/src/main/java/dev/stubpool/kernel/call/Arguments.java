package dev.stubpool.kernel.call;

import dev.stubpool.kernel.memory.UserMemory;

/** Arguments of a system call: words, that a handler reads as its manual page says. */
public final class Arguments {
  /** A directory descriptor that stands for the working directory. */
  static final int AT_FDCWD = -100;

  private final UserMemory memory;
  private final long[] words;

  Arguments(UserMemory memory, long... words) {
    this.memory = memory;
    this.words = words.clone();
  }

  /** A {@code long}, {@code size_t}, {@code off_t} or pointer. */
  long word(int index) {
    return words[index];
  }

  /** An {@code int}: the upper half is no part of it. */
  int integer(int index) {
    return (int) words[index];
  }

  /** A string that the argument points to. */
  String string(int index) {
    return memory.readString(words[index]);
  }
}
