package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.memory.Region;
import java.time.Duration;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;

/** The properties of a process that proc(5) shows. */
public interface ProcessView {
  /** The pid. */
  int pid();

  /** The parent's pid. */
  int parent();

  /** The process group. */
  int group();

  /** The session. */
  int session();

  /** The user and group. */
  Identity identity();

  /** umask(2). */
  int umask();

  /** The name of its first thread. */
  String name();

  /** The arguments of its program. */
  List<String> arguments();

  /** The environment of its program. */
  List<String> environment();

  /** The executable. */
  Optional<Location> executable();

  /** The working directory. */
  Location workingDirectory();

  /** The open files, by descriptor. */
  NavigableMap<Integer, OpenFile> descriptors();

  /** The mappings. */
  List<Region> regions();

  /** The time of its creation, by {@link System#nanoTime}. */
  long started();

  /** The CPU time used. */
  Duration cpuTime();

  /** The CPU time of children that were reaped. */
  Duration childrenCpuTime();

  /** The signals pending for the process. */
  long pendingSignals();

  /** The ignored signals. */
  long ignoredSignals();

  /** The handled signals. */
  long caughtSignals();

  /** The threads; empty for a zombie. */
  List<ThreadView> threads();

  /**
   * A thread of the process.
   *
   * @param state R, S or T
   * @param pendingSignals the signals pending for the thread
   * @param blockedSignals its signal mask
   */
  record ThreadView(int tid, String name, char state, long pendingSignals, long blockedSignals) {}
}
