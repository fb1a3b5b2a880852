package dev.stubpool.seccomp.audit;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Something that an audit found.
 *
 * @param check what was looked for
 * @param message what was found, for people; one line
 * @param architecture the architecture that is concerned, if it is a single one
 * @param call the system call that is concerned, if it is a single one
 * @param example an input that shows it, if one does
 * @param instruction the index of the first instruction that is concerned, if that is known
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
   * The finding as one line.
   *
   * @return severity, identifier and message
   */
  @Override
  public String toString() {
    return "%s %s: %s".formatted(check.severity(), check.id(), message);
  }
}
