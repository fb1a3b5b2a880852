package dev.stubpool.cli.inspect;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.cli.proc.ProcFs;
import dev.stubpool.cli.proc.ProcessStatus;
import java.io.IOException;

/** The stub that a command is told to look at, and what to say if that cannot be done. */
final class StubLookup {
  private StubLookup() {}

  /**
   * The stub of that pid.
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

  /** A process that is not, or no more. */
  static CommandFailure noProcess(int pid) {
    return new CommandFailure("no such process: " + pid);
  }

  /** What to tell of a failure to read about a process. */
  static CommandFailure failure(int pid, IOException e) {
    if (ProcFs.isGone(e)) {
      return new CommandFailure("no such process: " + pid, e);
    }
    if (ProcFs.isDenied(e)) {
      return new CommandFailure(
          "process " + pid + " may not be looked into; be its user, or root", e);
    }
    return new CommandFailure("process " + pid + ": " + e.getMessage(), e);
  }
}
