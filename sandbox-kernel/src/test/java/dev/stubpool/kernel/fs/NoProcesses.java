package dev.stubpool.kernel.fs;

import java.util.List;
import java.util.Optional;

/** For trees of files that nobody runs in. */
final class NoProcesses implements ProcessViews {
  @Override
  public int currentProcess() {
    return 0;
  }

  @Override
  public int currentThread() {
    return 0;
  }

  @Override
  public List<Integer> processes() {
    return List.of();
  }

  @Override
  public Optional<ProcessView> process(int pid) {
    return Optional.empty();
  }

  @Override
  public int threadCount() {
    return 0;
  }

  @Override
  public long processesMade() {
    return 0;
  }
}
