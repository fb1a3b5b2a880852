package dev.stubpool.cli.inspect;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.io.IOException;

/** Finds the stub that a command inspects, and creates the error if it cannot. */
final class StubLookup {
  private StubLookup() {}

  /**
   * Finds the stub with a pid.
   *
   * @throws CommandFailure if there is no such process, or it is not a stub
   */
  static ProcessStatus find(int pid) throws IOException {
    ProcessStatus process = ProcFs.SYSTEM.status(pid).orElseThrow(() -> noProcess(pid));
    if (!process.isNamedStub()) {
      throw new CommandFailure(
          "process %d (%s) is not a stub".formatted(pid, Printable.of(process.comm())));
    }
    return process;
  }

  /** The error for a process that does not exist. */
  static CommandFailure noProcess(int pid) {
    return new CommandFailure("no such process: " + pid);
  }

  /** The error for a failure to read a process's files. */
  static CommandFailure failure(int pid, IOException e) {
    if (ProcFs.isGone(e)) {
      return new CommandFailure("no such process: " + pid, e);
    }
    if (ProcFs.isDenied(e)) {
      return new CommandFailure(
          "process " + pid + " is not readable; run as its user or as root", e);
    }
    return new CommandFailure("process " + pid + ": " + e.getMessage(), e);
  }
}
