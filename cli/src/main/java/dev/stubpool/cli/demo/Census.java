package dev.stubpool.cli.demo;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Counts the stub processes of this JVM in /proc: its children, and stubs that were seen before. A
 * process is identified by its pid and start time, because pids are reused.
 */
final class Census {
  private static final int MOST_TOLD = 10;

  private record Identity(int pid, long startTime) {}

  private final int self = (int) ProcessHandle.current().pid();
  private final Set<Identity> seen = new HashSet<>();
  private List<ProcessStatus> left = List.of();

  /** Records a live stub. */
  void see(int pid) {
    try {
      ProcessStatus status =
          ProcFs.SYSTEM
              .status(pid)
              .filter(ProcessStatus::isNamedStub)
              .orElseThrow(() -> new CommandFailure("stub " + pid + " is not in /proc"));
      seen.add(identity(status));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Counts the stubs that exist now, zombies included. */
  int countLeft() throws IOException {
    List<ProcessStatus> found = new ArrayList<>();
    for (ProcessStatus process : ProcFs.SYSTEM.all()) {
      if (process.isNamedStub() && (process.parent() == self || seen.contains(identity(process)))) {
        found.add(process);
      }
    }
    left = found;
    return left.size();
  }

  /** Describes the stubs that the last count found. */
  String describeLeft() {
    return left.stream()
        .limit(MOST_TOLD)
        .map(process -> process.pid() + " (" + process.stateWord() + ")")
        .collect(Collectors.joining(", ", "", left.size() > MOST_TOLD ? ", ..." : ""));
  }

  private static Identity identity(ProcessStatus process) {
    return new Identity(process.pid(), process.startTime());
  }
}
