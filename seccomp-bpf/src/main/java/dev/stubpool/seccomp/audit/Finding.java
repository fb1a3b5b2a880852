package dev.stubpool.seccomp.audit;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A problem that an audit found.
 *
 * @param check the check that found it
 * @param message its description, one line
 * @param architecture the architecture concerned, if it is a single one
 * @param call the system call concerned, if it is a single one
 * @param example an input that demonstrates the problem, if there is one
 * @param instruction the index of the first instruction concerned, if known
 */
public record Finding(
    Check check,
    String message,
    Optional<Architecture> architecture,
    Optional<String> call,
    Optional<SeccompData> example,
    OptionalInt instruction) {

  static Finding of(Check check, String message) {
    return new Finding(
        check, message, Optional.empty(), Optional.empty(), Optional.empty(), OptionalInt.empty());
  }

  Finding at(int pc) {
    return new Finding(check, message, architecture, call, example, OptionalInt.of(pc));
  }

  Finding with(Optional<SeccompData> data) {
    return new Finding(check, message, architecture, call, data, instruction);
  }

  Finding on(Architecture concerned) {
    return new Finding(check, message, Optional.of(concerned), call, example, instruction);
  }

  Finding on(Architecture concerned, String name) {
    return new Finding(
        check, message, Optional.of(concerned), Optional.of(name), example, instruction);
  }

  /**
   * Describes the finding in one line.
   *
   * @return severity, identifier and message
   */
  @Override
  public String toString() {
    return "%s %s: %s".formatted(check.severity(), check.id(), message);
  }
}
