package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Constants of C headers that policies use, such as {@code O_RDONLY}: the values of x86, and of
 * architectures with the kernel's generic values.
 */
final class Constants {

  /** Constants that differ on 32-bit and 64-bit Arm: {@code asm/fcntl.h}. */
  private static final Map<String, Long> ON_ARM =
      Map.of(
          "O_DIRECTORY", 0x4000L,
          "O_NOFOLLOW", 0x8000L,
          "O_DIRECT", 0x10000L,
          "O_LARGEFILE", 0x20000L,
          "O_TMPFILE", 0x404000L);

  private static final Map<String, Values> VALUES = load();

  private record Values(OptionalLong with64Bits, OptionalLong with32Bits) {}

  private Constants() {}

  /** Whether the constants of an architecture are known. */
  static boolean areKnown(Architecture architecture) {
    return switch (architecture) {
      case X86_64, I386, X32, AARCH64, ARM, RISCV64, RISCV32, LOONGARCH64 -> true;
      case MIPSEL, MIPSEL64, MIPSEL64N32, PPC64LE, SH -> false;
    };
  }

  /** The value of a constant; empty if its value on the architecture is unknown. */
  static OptionalLong find(Architecture architecture, String name) {
    Values values = VALUES.get(name);
    if (values == null || !areKnown(architecture)) {
      return OptionalLong.empty();
    }
    return switch (architecture) {
      case X86_64, X32 -> values.with64Bits();
      case I386 -> values.with32Bits();
      default -> elsewhere(architecture, name, values);
    };
  }

  private static OptionalLong elsewhere(Architecture architecture, String name, Values values) {
    if (name.startsWith("ARCH_") || name.equals("MAP_32BIT") || name.equals("MAP_ABOVE4G")) {
      return OptionalLong.empty(); // x86 only
    }
    boolean arm = architecture == Architecture.ARM || architecture == Architecture.AARCH64;
    if (arm && ON_ARM.containsKey(name)) {
      return OptionalLong.of(ON_ARM.get(name));
    }
    if (architecture.bits() == Long.SIZE) {
      return values.with64Bits();
    }
    // the structure size encoded in the number may differ from x86's
    return values.with32Bits().equals(values.with64Bits())
        ? values.with32Bits()
        : OptionalLong.empty();
  }

  private static Map<String, Values> load() {
    Map<String, Values> all = new HashMap<>();
    try (InputStream in = Constants.class.getResourceAsStream("constants.tsv");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      String line;
      while ((line = lines.readLine()) != null) {
        if (!line.startsWith("#")) {
          String[] columns = line.split("\t", -1);
          all.put(columns[0], new Values(value(columns[1]), value(columns[2])));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  private static OptionalLong value(String column) {
    return column.equals("-")
        ? OptionalLong.empty()
        : OptionalLong.of(Long.parseUnsignedLong(column.substring(2), 16));
  }
}
