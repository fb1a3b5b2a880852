package dev.stubpool;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.testing.Proc;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Does to stubs and sources what the pool cannot know of: kills them and sends them signals, from a
 * thread that uses nothing of the library.
 */
final class ChaosKiller implements Runnable {
  private static final int SIGHUP = 1;
  private static final int SIGUSR1 = 10;
  private static final int SIGSEGV = 11;
  private static final int SIGTERM = 15;
  private static final int SIGCONT = 18;

  /** All but SIGKILL must be harmless to a stub, whatever it does. */
  private static final int[] HARMLESS = {
    Abi.SIGSTOP, SIGCONT, SIGUSR1, Abi.SIGURG, SIGHUP, SIGTERM, SIGSEGV, Abi.SIGTRAP, Abi.SIGSYS
  };

  private static final int LONGEST_PAUSE_NANOS = 2_000_000;

  private final ChaosRound round;
  private final Random random;

  /** What was sent, for the report. The killer's alone until it ends. */
  private int kills;

  private int killsOfSources;
  private int signals;

  ChaosKiller(ChaosRound round, long seed) {
    this.round = round;
    this.random = new Random(seed);
  }

  @Override
  public void run() {
    while (!round.isOver()) {
      attack();
      LockSupport.parkNanos(random.nextInt(LONGEST_PAUSE_NANOS));
    }
  }

  private void attack() {
    boolean kill = round.variant().kills() && random.nextInt(3) == 0;
    int signal = kill ? Abi.SIGKILL : HARMLESS[random.nextInt(HARMLESS.length)];
    int source = round.pool().sourcePid();
    List<Integer> children = new ArrayList<>(Proc.children());
    int pid =
        switch (random.nextInt(10)) {
          case 0 -> source;
          case 1, 2, 3, 4, 5 -> any(round.held());
          default -> any(children);
        };
    // A lonely child is a source, perhaps a new one: killed again and again it would never serve.
    if (pid == 0 || (kill && children.size() == 1) || !send(pid, signal)) {
      return;
    }
    if (!kill) {
      signals++;
    } else if (pid == source) {
      killsOfSources++;
    } else {
      kills++;
    }
  }

  private int any(Collection<Integer> pids) {
    List<Integer> all = new ArrayList<>(pids);
    return all.isEmpty() ? 0 : all.get(random.nextInt(all.size()));
  }

  /** Sends a signal, if the process is a child of this JVM's: by a pidfd, for pids come again. */
  static boolean send(int pid, int signal) {
    long fd = Kernel.call(Abi.SYS_pidfd_open, pid, 0);
    if (fd < 0) {
      return false;
    }
    try {
      return isChild(pid) && Kernel.call(Abi.SYS_pidfd_send_signal, fd, signal, 0, 0) == 0;
    } finally {
      FileCalls.close((int) fd);
    }
  }

  private static boolean isChild(int pid) {
    String stat = read("/proc/" + pid + "/stat");
    // 4242 (name, which may hold anything) S parent
    String[] fields = stat.substring(stat.lastIndexOf(')') + 1).split(" ", -1);
    return fields.length > 2 && fields[2].equals(Long.toString(ProcessHandle.current().pid()));
  }

  /**
   * A file of /proc, "" if the process is gone. Not by a channel: an interrupt would close that.
   */
  static String read(String path) {
    try (FileInputStream in = new FileInputStream(path)) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  @Override
  public String toString() {
    return kills + " kills, " + killsOfSources + " of the source, " + signals + " other signals";
  }
}
