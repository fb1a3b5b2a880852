package dev.stubpool.kernel;

import dev.stubpool.StubPool;
import dev.stubpool.kernel.abi.Access;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.call.CallCounts;
import dev.stubpool.kernel.call.Strace;
import dev.stubpool.kernel.call.SystemCallTable;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.InheritedFile;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.StreamFile;
import dev.stubpool.kernel.fs.FileTree;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.fs.Node;
import dev.stubpool.kernel.fs.Opening;
import dev.stubpool.kernel.load.ElfException;
import dev.stubpool.kernel.memory.MemoryBudget;
import dev.stubpool.kernel.process.Execution;
import dev.stubpool.kernel.process.ExitStatus;
import dev.stubpool.kernel.process.ProcessInformation;
import dev.stubpool.kernel.process.ProcessTable;
import dev.stubpool.kernel.process.Task;
import dev.stubpool.kernel.signal.HostSignals;
import dev.stubpool.kernel.sync.KernelLock;
import dev.stubpool.kernel.sync.Sleeper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/**
 * A small kernel in Java for static Linux programs. It loads a program into stubs and serves its
 * system calls, so that none of them reaches the host's kernel.
 *
 * <p>A program may have threads and child processes; each process runs in a stub of its own. It can
 * read the host's files but not change them, and has a private /tmp in memory. It has no network
 * and no terminal. When its first process ends, all others are killed.
 */
public final class SandboxKernel {
  /** The exit status of a program that exceeded its timeout, as of timeout(1). */
  public static final int TIMED_OUT = 124;

  private static final int SPARE_STUBS = 8;

  /** The time within which a killed program must end. */
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(30);

  /** The time within which the last output of an ended program must be written. */
  private static final Duration WRITES_WITHIN = Duration.ofSeconds(2);

  private final StubPool pool;

  /**
   * Creates a kernel that runs programs in stubs of a pool. The pool must allow {@link #stubsFor}
   * stubs.
   */
  public SandboxKernel(StubPool pool) {
    this.pool = pool;
  }

  /**
   * The number of stubs that a pool must allow for a program with a thread limit: each thread may
   * be a process, and needs a second stub during execve(2).
   */
  public static int stubsFor(int processes) {
    return 2 * processes + SPARE_STUBS;
  }

  /**
   * Runs a program to its end.
   *
   * @return its exit status; 128 plus the signal's number if a signal ended it; {@link #TIMED_OUT}
   *     if it exceeded its timeout
   * @throws ProgramException if it cannot be loaded, a stub was killed, or the kernel failed while
   *     serving it
   */
  public int run(Program program) {
    return run(program, _ -> {});
  }

  /**
   * Runs a program to its end.
   *
   * @param begun is called when it has started, with the handle that sends signals to it
   */
  public int run(Program program, Consumer<RunningProgram> begun) {
    long start = System.nanoTime();
    Strace strace = program.trace().map(Strace::new).orElse(null);
    CallCounts counts = program.statistics().isPresent() ? new CallCounts() : null;
    TaskLoop loop =
        new TaskLoop(new SystemCallTable(program.diagnostics(), strace, counts), strace);
    ProcessTable table =
        new ProcessTable(
            pool,
            new MemoryBudget(program.memory()),
            program.processes(),
            loop::start,
            program.diagnostics());
    long deadline =
        program.timeout().map(limit -> Sleeper.deadline(start, limit)).orElse(Sleeper.NEVER);
    List<OpenFile> streams = streams(program, table.lock());
    FileTree files = files(program, table);
    table.lock().lock();
    try (files) {
      begin(program, table, files, streams);
      tell(begun, table);
      int status = awaitEnd(program, table, deadline);
      awaitWritten(streams, table.lock());
      program
          .statistics()
          .ifPresent(to -> to.accept(statistics(table, counts, System.nanoTime() - start)));
      return status;
    } finally {
      table.lock().unlock();
    }
  }

  /** Calls the consumer; if it throws, the program is killed. */
  private static void tell(Consumer<RunningProgram> begun, ProcessTable table) {
    boolean isTold = false;
    try {
      isTold =
          table
              .lock()
              .released(
                  () -> {
                    begun.accept(new RunningProgram(table));
                    return true;
                  });
    } finally {
      if (!isTold) {
        boolean _ = kill(table);
      }
    }
  }

  /** Kills all processes; returns whether they ended in time. */
  private static boolean kill(ProcessTable table) {
    table.killAll();
    return awaitEnd(table, System.nanoTime() + ENDS_WITHIN.toNanos());
  }

  /**
   * Waits until all processes have ended. A failure in the kernel while serving the program fails
   * only that program's run; the embedder can run the next one.
   */
  private static boolean awaitEnd(ProcessTable table, long deadline) {
    try {
      return table.awaitEnd(deadline);
    } catch (ProgramException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new ProgramException("the kernel failed while it served the program: " + e, e);
    }
  }

  private static int awaitEnd(Program program, ProcessTable table, long deadline) {
    if (awaitEnd(table, deadline)) {
      return ExitStatus.ofShell(table.first().waitStatus());
    }
    boolean hasEnded = kill(table);
    program
        .diagnostics()
        .accept("the program took longer than its timeout, " + program.timeout().get());
    if (!hasEnded) {
      throw new ProgramException("the program was killed and did not end within " + ENDS_WITHIN);
    }
    return TIMED_OUT;
  }

  /** Waits for output that the program wrote without waiting and that is still being written. */
  private static void awaitWritten(List<OpenFile> streams, KernelLock lock) {
    long deadline = System.nanoTime() + WRITES_WITHIN.toNanos();
    for (OpenFile stream : streams) {
      long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
      boolean _ = lock.released(() -> stream.awaitWritten(Math.max(0, left)));
    }
  }

  private static Statistics statistics(ProcessTable table, CallCounts counts, long nanos) {
    List<Statistics.Call> calls = new ArrayList<>();
    counts
        .all()
        .forEach(
            (name, count) ->
                calls.add(
                    new Statistics.Call(
                        name, count.calls(), count.errors(), Duration.ofNanos(count.nanos()))));
    calls.sort(Comparator.comparing(Statistics.Call::time).reversed());
    return new Statistics(
        calls,
        table.otherTraps(),
        table.processesMade(),
        table.stubsLeased(),
        Duration.ofNanos(nanos));
  }

  private static void begin(
      Program program, ProcessTable table, FileTree files, List<OpenFile> streams) {
    try {
      Identity identity = Identity.ofHost();
      Execution execution =
          Execution.load(
              table,
              path -> Opening.ofProgram(files.find(files.root(), path, true, identity), identity),
              program.file().toAbsolutePath().normalize().toString(),
              program.arguments(),
              program.environment(),
              identity);
      boolean begun = false;
      try {
        Task task =
            table.makeFirst(
                execution.program(),
                descriptors(streams),
                files,
                identity,
                workingDirectory(program, files, identity));
        HostSignals.inherit(task.process().actions());
        execution.startIn(task);
        table.start(task);
        begun = true;
      } finally {
        if (!begun) {
          execution.discard();
        }
      }
    } catch (ElfException e) {
      throw new ProgramException(program.file() + " " + e.getMessage(), e);
    } catch (ErrnoException e) {
      throw new ProgramException(program.file() + ": " + e.errno().message(), e);
    } catch (IOException e) {
      throw new ProgramException("cannot read " + describe(e), e);
    }
  }

  private static String describe(IOException e) {
    return e.getMessage() + " (" + ErrnoException.of(e).errno().message() + ")";
  }

  private static List<OpenFile> streams(Program program, KernelLock lock) {
    return List.of(
        program
            .input()
            .<OpenFile>map(in -> StreamFile.input(in, lock))
            .orElseGet(() -> InheritedFile.input(lock)),
        program
            .output()
            .<OpenFile>map(out -> StreamFile.output(out, lock))
            .orElseGet(() -> InheritedFile.output(lock)),
        program
            .errors()
            .<OpenFile>map(out -> StreamFile.output(out, lock))
            .orElseGet(() -> InheritedFile.errors(lock)));
  }

  private static DescriptorTable descriptors(List<OpenFile> streams) {
    DescriptorTable descriptors = new DescriptorTable();
    for (int i = 0; i < streams.size(); i++) {
      descriptors.put(i, streams.get(i), false);
    }
    return descriptors;
  }

  private static FileTree files(Program program, ProcessTable table) {
    try {
      FileTree files =
          new FileTree(
              program.root(),
              table.memory(),
              table.files().pipes()::fifo,
              new ProcessInformation(table));
      try {
        fill(files, program);
        return files;
      } catch (IOException | RuntimeException e) {
        files.close();
        throw e;
      }
    } catch (IOException e) {
      throw new ProgramException("cannot read " + describe(e), e);
    }
  }

  private static void fill(FileTree files, Program program) throws IOException {
    program.hidden().forEach(files::hide);
    for (Path path : program.readOnly()) {
      files.add(path);
    }
    files.add(program.file());
    files.add(program.file().toRealPath());
    files.addIfCovered(program.workingDirectory());
  }

  private static Location workingDirectory(Program program, FileTree files, Identity identity) {
    try {
      String path = program.workingDirectory().toString();
      Location found = files.find(files.root(), path, true, identity);
      boolean enters =
          found.node() instanceof Node.Directory directory
              && directory.allows(identity, Access.X_OK);
      return enters ? found : files.root();
    } catch (ErrnoException _) {
      return files.root();
    }
  }
}
