package dev.stubpool.kernel.process;

import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.fs.ProcessView;
import dev.stubpool.kernel.fs.ProcessViews;
import dev.stubpool.kernel.memory.Region;
import dev.stubpool.kernel.signal.SignalActions.Action;
import java.time.Duration;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/** The view of a process table for /proc. */
public final class ProcessInformation implements ProcessViews {
  private final ProcessTable table;

  /** Creates the view of a table. */
  public ProcessInformation(ProcessTable table) {
    this.table = table;
  }

  @Override
  public int currentProcess() {
    Task task = ProcessTable.current();
    return task == null ? 0 : task.process().pid();
  }

  @Override
  public int currentThread() {
    Task task = ProcessTable.current();
    return task == null ? 0 : task.tid();
  }

  @Override
  public List<Integer> processes() {
    return table.processes().stream().map(GuestProcess::pid).toList();
  }

  @Override
  public Optional<ProcessView> process(int pid) {
    return Optional.ofNullable(table.process(pid)).map(View::new);
  }

  @Override
  public int threadCount() {
    return table.taskCount();
  }

  @Override
  public long processesMade() {
    return table.processesMade();
  }

  private record View(GuestProcess process) implements ProcessView {
    @Override
    public int pid() {
      return process.pid();
    }

    @Override
    public int parent() {
      return process.parent() == null ? ProcessTable.INIT_PID : process.parent().pid();
    }

    @Override
    public int group() {
      return process.group();
    }

    @Override
    public int session() {
      return process.session();
    }

    @Override
    public Identity identity() {
      return process.identity();
    }

    @Override
    public int umask() {
      return process.umask();
    }

    @Override
    public String name() {
      return process.tasks().isEmpty()
          ? process.program().name()
          : process.tasks().getFirst().name();
    }

    private static char state(Task task) {
      if (task.process().isStopped()) {
        return 'T';
      }
      return task.isInGuest() || task == ProcessTable.current() ? 'R' : 'S';
    }

    @Override
    public List<String> arguments() {
      return process.isZombie() ? List.of() : process.program().arguments();
    }

    @Override
    public List<String> environment() {
      return process.isZombie() ? List.of() : process.program().environment();
    }

    @Override
    public Optional<Location> executable() {
      return process.isZombie() ? Optional.empty() : Optional.of(process.program().file());
    }

    @Override
    public Location workingDirectory() {
      return process.workingDirectory();
    }

    @Override
    public NavigableMap<Integer, OpenFile> descriptors() {
      NavigableMap<Integer, OpenFile> files = new TreeMap<>();
      for (int number : process.descriptors().numbers()) {
        files.put(number, process.descriptors().get(number));
      }
      return files;
    }

    @Override
    public List<Region> regions() {
      return process.tasks().isEmpty()
          ? List.of()
          : process.tasks().getFirst().program().map().regions();
    }

    @Override
    public long started() {
      return process.started();
    }

    @Override
    public Duration cpuTime() {
      return process.cpuTime();
    }

    @Override
    public Duration childrenCpuTime() {
      return process.childrenCpuTime();
    }

    @Override
    public long pendingSignals() {
      return process.pendingSignals().set();
    }

    @Override
    public long ignoredSignals() {
      return signals(Action::isIgnored);
    }

    @Override
    public long caughtSignals() {
      return signals(Action::hasHandler);
    }

    private long signals(Predicate<Action> wanted) {
      long set = 0;
      for (int signal = 1; signal <= Signal.SIGRTMAX; signal++) {
        if (wanted.test(process.actions().of(signal))) {
          set |= Signal.bit(signal);
        }
      }
      return set;
    }

    @Override
    public List<ThreadView> threads() {
      return process.tasks().stream()
          .map(
              task ->
                  new ThreadView(
                      task.tid(),
                      task.name(),
                      state(task),
                      task.signals().pending().set(),
                      task.signals().mask()))
          .toList();
    }
  }
}
