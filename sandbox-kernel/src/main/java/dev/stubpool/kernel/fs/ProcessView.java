package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.memory.Region;
import java.time.Duration;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;

/** What proc(5) tells of a process. */
public interface ProcessView {
  /** Its number. */
  int pid();

  /** Its parent's number. */
  int parent();

  /** Its process group. */
  int group();

  /** Its session. */
  int session();

  /** Whom it runs as. */
  Identity identity();

  /** umask(2). */
  int umask();

  /** What its first thread is called. */
  String name();

  /** What it was executed with. */
  List<String> arguments();

  /** What it was executed with. */
  List<String> environment();

  /** The program that it runs. */
  Optional<Location> executable();

  /** Where relative paths begin. */
  Location workingDirectory();

  /** What it has open, by number. */
  NavigableMap<Integer, OpenFile> descriptors();

  /** What it has mapped. */
  List<Region> regions();

  /** When it was made, by {@link System#nanoTime}. */
  long started();

  /** How long it had a CPU. */
  Duration cpuTime();

  /** How long children had one for which it has waited. */
  Duration childrenCpuTime();

  /** Signals that wait for any of its threads. */
  long pendingSignals();

  /** Signals that it ignores. */
  long ignoredSignals();

  /** Signals that it handles. */
  long caughtSignals();

  /** Its threads; none of one that has ended. */
  List<ThreadView> threads();

  /**
   * A thread of it.
   *
   * @param state R, S or T
   * @param pendingSignals those that wait for it alone
   * @param blockedSignals its mask
   */
  record ThreadView(int tid, String name, char state, long pendingSignals, long blockedSignals) {}
}
