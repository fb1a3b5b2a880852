package dev.stubpool.kernel.process;

import dev.stubpool.Guest;
import dev.stubpool.Stub;
import dev.stubpool.StubPoolException;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.fs.Location;
import dev.stubpool.kernel.load.ElfException;
import dev.stubpool.kernel.load.Image;
import dev.stubpool.kernel.load.ProgramLoader;
import dev.stubpool.kernel.load.Script;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.signal.AlternateStack;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A program loaded into a new stub, execve(2). The caller is not changed until the program is
 * completely loaded, so a failure leaves the caller intact.
 */
public final class Execution {
  /** The limit for nested interpreters, that of Linux. */
  private static final int MOST_INTERPRETERS = 5;

  private final ProgramMemory memory;
  private final Image image;
  private final GuestProcess.Program program;

  private Execution(ProgramMemory memory, Image image, GuestProcess.Program program) {
    this.memory = memory;
    this.image = image;
    this.program = program;
  }

  /**
   * Loads a program.
   *
   * @param open opens an executable file by path
   * @param path the path of a program or script
   * @throws ElfException if it cannot be loaded
   * @throws ErrnoException for other errors of execve(2)
   */
  public static Execution load(
      ProcessTable table,
      Function<String, OpenFile> open,
      String path,
      List<String> arguments,
      List<String> environment,
      Identity identity)
      throws ElfException {
    String named = path;
    List<String> all = arguments;
    for (int i = 0; i < MOST_INTERPRETERS; i++) {
      OpenFile file = open.apply(named);
      file.hold();
      try {
        Optional<Script> script = Script.parse(header(file));
        if (script.isEmpty()) {
          return load(table, file, new Loading(named, all, environment, identity));
        }
        all = script.get().arguments(named, all);
        named = script.get().interpreter();
      } finally {
        file.release();
      }
    }
    throw new ErrnoException(Errno.ELOOP);
  }

  private static byte[] header(OpenFile file) {
    ByteBuffer header = ByteBuffer.allocate(Script.HEADER_SIZE);
    int read = file.read(header, 0);
    return Arrays.copyOf(header.array(), read);
  }

  private record Loading(
      String path, List<String> arguments, List<String> environment, Identity identity) {}

  private static Execution load(ProcessTable table, OpenFile file, Loading what)
      throws ElfException {
    Stub stub = acquire(table);
    table.countStub();
    AddressMap map = new AddressMap(table.pool(), stub.memory(), table.memory());
    try {
      UserMemory user = new UserMemory(stub.memory(), table.pool().addressSpace());
      Image image =
          new ProgramLoader(map, user)
              .load(file, what.path(), what.arguments(), what.environment(), what.identity());
      return new Execution(
          new ProgramMemory(stub, map, user),
          image,
          new GuestProcess.Program(
              what.path(), (Location) file.place(), what.arguments(), what.environment()));
    } catch (ElfException | RuntimeException e) {
      map.close();
      stub.close();
      throw e;
    }
  }

  private static Stub acquire(ProcessTable table) {
    try {
      return table.lock().released(table.pool()::acquire);
    } catch (StubPoolException _) {
      throw new ErrnoException(Errno.EAGAIN);
    }
  }

  /** The program's description for /proc. */
  public GuestProcess.Program program() {
    return program;
  }

  /** Discards the loaded program. */
  public void discard() {
    memory.close();
  }

  /** Starts the first task of a sandbox with this program. */
  public void startIn(Task task) {
    task.startIn(memory, this::prepare);
  }

  private void prepare(Guest guest) {
    guest.registers().rip(image.entry()).rsp(image.stackPointer());
  }

  /** Replaces a process's program by this one; only the calling thread remains. */
  public void replace(Task task) {
    if (task.isLeaving()) { // another thread is executing a program, and must not be ended
      discard();
      return;
    }
    GuestProcess process = task.process();
    for (Task other : List.copyOf(process.tasks())) {
      if (other != task) {
        other.kill();
      }
    }
    task.awaitUnlessKilled(process.tasksChanged(), () -> process.tasks().size() == 1);
    if (task.isLeaving()) {
      discard();
      return;
    }
    TaskEnd.leaveMemory(task);
    process.noteCpuTime();
    if (task.tid() != process.pid()) {
      task.table().renumber(task);
    }
    process.exec(program);
    task.name(program.name());
    task.signals().stack(AlternateStack.NONE);
    task.startIn(memory, this::prepare);
    process.memoryLeft().wakeAll();
  }
}
