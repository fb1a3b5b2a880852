package dev.stubpool.kernel;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.call.Strace;
import dev.stubpool.kernel.call.SystemCallTable;
import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.file.InheritedFile;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.StreamFile;
import dev.stubpool.kernel.fs.FileTree;
import dev.stubpool.kernel.fs.Node;
import dev.stubpool.kernel.load.ElfException;
import dev.stubpool.kernel.load.Image;
import dev.stubpool.kernel.load.ProgramLoader;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.task.GuestProcess;
import dev.stubpool.kernel.task.Identity;
import dev.stubpool.kernel.task.Task;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Runs a static Linux program in a stub: loads it, and serves its system calls here, so that none
 * reaches the host's kernel.
 *
 * <p>It is small and meant to be read. A program has one thread, memory, three streams, and files
 * that it may read; it has no network, no other processes and no signal handlers.
 */
public final class SandboxKernel {
  private final StubPool pool;

  /** A kernel for programs in stubs of this pool. */
  public SandboxKernel(StubPool pool) {
    this.pool = pool;
  }

  /**
   * Runs a program to its end.
   *
   * @return its exit status; 128 and the signal's number if a signal ended it
   * @throws ProgramException if it cannot be loaded, or its stub was killed
   */
  public int run(Program program) {
    try (Stub stub = pool.acquire();
        DescriptorTable descriptors = descriptors(program)) {
      Strace strace = program.trace().map(Strace::new).orElse(null);
      TaskLoop loop =
          new TaskLoop(
              new SystemCallTable(program.diagnostics(), strace), strace, program.diagnostics());
      return stub.<Integer, IOException>run(
          guest -> {
            AddressMap map = new AddressMap(pool, stub.memory());
            UserMemory memory = new UserMemory(stub.memory(), pool.addressSpace());
            Identity identity = Identity.ofHost();
            Path file = program.file().toRealPath();
            Image image = load(program, file, new ProgramLoader(pool, map, memory), identity);
            FileTree files = files(program, file);
            GuestProcess process =
                new GuestProcess(
                    map,
                    memory,
                    descriptors,
                    files,
                    identity,
                    new CpuTime(stub.pid()),
                    workingDirectory(program, files));
            guest.registers().rip(image.entry()).rsp(image.stackPointer());
            return loop.run(new Task(process, guest));
          });
    } catch (IOException e) {
      throw new ProgramException("cannot read " + describe(e), e);
    }
  }

  private static String describe(IOException e) {
    return e.getMessage() + " (" + ErrnoException.of(e).errno().message() + ")";
  }

  private static Image load(Program program, Path file, ProgramLoader loader, Identity identity)
      throws IOException {
    try {
      return loader.load(
          file, program.file().toString(), program.arguments(), program.environment(), identity);
    } catch (ElfException e) {
      throw new ProgramException(program.file() + " " + e.getMessage(), e);
    }
  }

  private static DescriptorTable descriptors(Program program) {
    OpenFile[] streams = {
      program.input().<OpenFile>map(StreamFile::new).orElseGet(InheritedFile::input),
      program.output().<OpenFile>map(StreamFile::new).orElseGet(InheritedFile::output),
      program.errors().<OpenFile>map(StreamFile::new).orElseGet(InheritedFile::errors),
    };
    DescriptorTable descriptors = new DescriptorTable();
    for (int i = 0; i < streams.length; i++) {
      descriptors.put(i, streams[i], false);
    }
    return descriptors;
  }

  private static FileTree files(Program program, Path file) throws IOException {
    FileTree files = new FileTree();
    for (Path path : program.readOnly()) {
      files.add(path.toAbsolutePath().normalize());
    }
    files.add(program.file().toAbsolutePath().normalize());
    files.add(file);
    files.addLink("/proc/self/exe", file.toString());
    return files;
  }

  private static String workingDirectory(Program program, FileTree files) {
    try {
      FileTree.Found found = files.resolve("/", program.workingDirectory().toString(), true);
      return found.node() instanceof Node.Directory ? found.path() : "/";
    } catch (ErrnoException _) {
      return "/";
    }
  }
}
