package dev.stubpool.kernel.load;

import dev.stubpool.kernel.abi.Struct;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Keys of the auxiliary vector, getauxval(3), and the values that the host's kernel gave this JVM.
 */
final class Auxv {
  static final int AT_NULL = 0;
  static final int AT_PHDR = 3;
  static final int AT_PHENT = 4;
  static final int AT_PHNUM = 5;
  static final int AT_PAGESZ = 6;
  static final int AT_BASE = 7;
  static final int AT_FLAGS = 8;
  static final int AT_ENTRY = 9;
  static final int AT_UID = 11;
  static final int AT_EUID = 12;
  static final int AT_GID = 13;
  static final int AT_EGID = 14;
  static final int AT_PLATFORM = 15;
  static final int AT_HWCAP = 16;
  static final int AT_CLKTCK = 17;
  static final int AT_SECURE = 23;
  static final int AT_RANDOM = 25;
  static final int AT_HWCAP2 = 26;
  static final int AT_EXECFN = 31;
  static final int AT_MINSIGSTKSZ = 51;

  /** Values that describe the host's CPU, which guests get unchanged. */
  static final Map<Integer, Long> HOST = ofHost();

  private Auxv() {}

  private static Map<Integer, Long> ofHost() {
    ByteBuffer words;
    try {
      words = Struct.view(Files.readAllBytes(Path.of("/proc/self/auxv")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Map<Integer, Long> values = new HashMap<>();
    while (words.remaining() >= 2 * Long.BYTES) {
      values.put((int) words.getLong(), words.getLong());
    }
    return values;
  }
}
