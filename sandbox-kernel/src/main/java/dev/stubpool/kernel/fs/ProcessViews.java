package dev.stubpool.kernel.fs;

import java.util.List;
import java.util.Optional;

/** The processes that proc(5) shows. */
public interface ProcessViews {
  /** The calling process's pid; 0 if there is none. */
  int currentProcess();

  /** The calling thread's tid. */
  int currentThread();

  /** All processes, by number. */
  List<Integer> processes();

  /** The process with a pid, also a zombie. */
  Optional<ProcessView> process(int pid);

  /** The number of threads of all processes. */
  int threadCount();

  /** The number of processes created so far. */
  long processesMade();
}
