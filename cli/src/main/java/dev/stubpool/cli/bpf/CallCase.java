package dev.stubpool.cli.bpf;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SystemCallTable;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A system call for a simulation, built from user input. */
final class CallCase {

  /** Other common names of architectures. */
  private static final Map<String, Architecture> OTHER_NAMES =
      Map.of(
          "amd64", Architecture.X86_64,
          "x86-64", Architecture.X86_64,
          "i386", Architecture.I386,
          "i686", Architecture.I386,
          "arm64", Architecture.AARCH64,
          "armv7l", Architecture.ARM);

  private final int auditValue;
  private final Optional<Architecture> architecture;

  private CallCase(int auditValue, Optional<Architecture> architecture) {
    this.auditValue = auditValue;
    this.architecture = architecture;
  }

  /**
   * Creates a case for an architecture, by its name, or by its AUDIT_ARCH value if it has no table.
   *
   * @throws IllegalArgumentException if it is neither
   */
  static CallCase of(String architecture) {
    Optional<Architecture> known =
        Architecture.ofLabel(architecture)
            .or(() -> Optional.ofNullable(OTHER_NAMES.get(architecture)));
    if (known.isPresent()) {
      return new CallCase(known.get().auditValue(), known);
    }
    return new CallCase(
        Numbers.parse32(architecture)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "unknown architecture \"%s\"; known are: %s"
                            .formatted(
                                architecture,
                                Arrays.stream(Architecture.values())
                                    .map(Architecture::label)
                                    .collect(Collectors.joining(", "))))),
        Optional.empty());
  }

  /**
   * The number of a system call, which may be given by name if the architecture has a table.
   *
   * @throws IllegalArgumentException if it is neither
   */
  int number(String text) {
    return Numbers.parse32(text)
        .or(
            () ->
                architecture
                    .map(SystemCallTable::of)
                    .flatMap(table -> table.find(text).stream().boxed().findFirst()))
        .orElseThrow(() -> new IllegalArgumentException("unknown system call \"" + text + "\""));
  }

  /** The filter's input; omitted arguments are 0. */
  SeccompData data(int nr, long instructionPointer, List<Long> arguments) {
    long[] a = new long[SeccompData.ARGUMENTS];
    for (int i = 0; i < arguments.size(); i++) {
      a[i] = arguments.get(i);
    }
    return new SeccompData(nr, auditValue, instructionPointer, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
}
