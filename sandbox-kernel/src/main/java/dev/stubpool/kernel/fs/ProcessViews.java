package dev.stubpool.kernel.fs;

import java.util.List;
import java.util.Optional;

/** What proc(5) tells of processes. */
public interface ProcessViews {
  /** The process that asks; 0 if none does. */
  int currentProcess();

  /** Its thread that asks. */
  int currentThread();

  /** All processes, by number. */
  List<Integer> processes();

  /** The process of a number, one that was not waited for too. */
  Optional<ProcessView> process(int pid);

  /** How many threads there are, of all processes. */
  int threadCount();

  /** How many processes there were. */
  long processesMade();
}
