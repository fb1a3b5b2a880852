package dev.stubpool.cli.pools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.lease.LeaseLayout;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.nativestubs.calls.FileCalls;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.proc.ProcFs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A folder like {@code /proc}. Its processes are made up, but the descriptors of its JVMs are those
 * of this process, so that the files behind them are real.
 */
final class MadeUpProc implements AutoCloseable {
  /** How long the machine has been up, in seconds. */
  static final int UPTIME = 5000;

  private static final int TICKS_PER_SECOND = 100;

  private final Path root;
  private final Arena arena = Arena.ofConfined();
  private final List<Integer> files = new ArrayList<>();
  private final List<Path> links = new ArrayList<>();

  MadeUpProc(Path root) throws IOException {
    this.root = root;
    Files.writeString(root.resolve("uptime"), UPTIME + ".00 1234.56\n");
  }

  ProcFs proc() {
    return new ProcFs(root);
  }

  /** Adds a JVM; its pids in all namespaces that it is in. */
  void jvm(int... pids) throws IOException {
    Path folder = process("java", 'S', 1, 0, 0, pids);
    links.add(Files.createSymbolicLink(folder.resolve("fd"), Path.of("/proc/self/fd")));
  }

  /** Adds a stub that is a second old. */
  void stub(int jvm, int... pids) throws IOException {
    process("stubpool-stub", 't', jvm, jvm + 1, UPTIME - 1, pids);
  }

  /** Adds a process, or replaces it. */
  Path process(String comm, char state, int parent, int tracer, int bornAt, int... pids)
      throws IOException {
    Path folder = Files.createDirectories(root.resolve(Integer.toString(pids[0])));
    Files.writeString(
        folder.resolve("stat"),
        "%d (%s) %c %d 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 0\n"
            .formatted(pids[0], comm, state, parent, bornAt * TICKS_PER_SECOND));
    Files.writeString(folder.resolve("statm"), "21 5 5 1 0 16 0\n");
    Files.writeString(
        folder.resolve("status"),
        "Name:\t%s\nTracerPid:\t%d\nNSpid:\t%s\n"
            .formatted(
                comm,
                tracer,
                Arrays.stream(pids).mapToObj(Integer::toString).collect(Collectors.joining("\t"))));
    return folder;
  }

  /** Removes what a process has. */
  void end(int pid) throws IOException {
    for (String file : List.of("stat", "statm", "status")) {
      Files.delete(root.resolve(pid + "/" + file));
    }
  }

  /** Publishes a pool of up to eight stubs. */
  LeaseTable pool(String name, int jvm) throws IOException {
    int slots = 8;
    int fd = tableFile(LeaseTable.bytes(slots));
    try (FileChannel file = open(fd)) {
      return new LeaseTable(
          file.map(FileChannel.MapMode.READ_WRITE, 0, file.size(), arena), name, slots, jvm, 183);
    }
  }

  /** A file with the name of a lease table, all zeros. */
  int tableFile(long size) {
    int fd = (int) MemoryCalls.memoryFile(LeaseLayout.FILE_NAME);
    assertThat(fd).isNotNegative();
    files.add(fd);
    assertThat(MemoryCalls.resize(fd, size)).isZero();
    return fd;
  }

  /** A further descriptor of a file. */
  static FileChannel open(int fd) throws IOException {
    return FileChannel.open(
        Path.of("/proc/self/fd/" + fd), StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  @Override
  public void close() throws IOException {
    arena.close();
    files.forEach(FileCalls::close);
    for (Path link : links) {
      Files.delete(link); // JUnit warns of links that lead out of its folder
    }
  }
}
