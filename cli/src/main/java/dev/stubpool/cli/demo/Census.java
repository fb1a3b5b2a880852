package dev.stubpool.cli.demo;

import dev.stubpool.cli.output.CommandFailure;
import dev.stubpool.cli.proc.ProcFs;
import dev.stubpool.cli.proc.ProcessStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Counts the stub processes of this JVM in /proc: its children, and whoever was seen before. A
 * process is known by its pid and its start, since pids are used again.
 */
final class Census {
  private static final int MOST_TOLD = 10;

  private record Identity(int pid, long startTime) {}

  private final int self = (int) ProcessHandle.current().pid();
  private final Set<Identity> seen = new HashSet<>();
  private List<ProcessStatus> left = List.of();

  /** Remembers a living stub. */
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

  /** How many are there now, those included that are dead but not reaped. */
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

  /** Which were left at the last count. */
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
