package dev.stubpool.seccomp.bpf;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.testing.CProgram;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel of this machine, asked about filters by {@code src/test/c/seccomp_oracle.c} in
 * children that are thrown away.
 */
final class KernelOracle implements AutoCloseable {

  /** The result of a call that killed its caller. */
  static final long KILLED = Long.MIN_VALUE;

  private static final int ENOMEM = 12;
  private static final int STACK = -1;
  private static final int CALL_SIZE = 56;

  private final Path folder;
  private final Process process;
  private final DataOutputStream requests;
  private final InputStream answers;
  private final long callAddress;

  private KernelOracle(Path folder, Process process) {
    this.folder = folder;
    this.process = process;
    this.requests = new DataOutputStream(process.getOutputStream());
    this.answers = process.getInputStream();
    this.callAddress = read(Long.BYTES).getLong();
  }

  /** Starts the oracle, or skips the test where there can be none. */
  static KernelOracle open() throws IOException, InterruptedException {
    if (!System.getProperty("os.name").equals("Linux")
        || !System.getProperty("os.arch").equals("amd64")) {
      skip("it needs Linux on x86-64");
    }
    Path folder = Files.createTempDirectory("seccomp-oracle");
    Path program = folder.resolve("oracle");
    try {
      CProgram.compile(Path.of("src/test/c/seccomp_oracle.c"), program, "-O2");
      Process process =
          new ProcessBuilder(program.toString()).redirectError(Redirect.INHERIT).start();
      KernelOracle oracle = new KernelOracle(folder, process);
      int error = oracle.errnos(List.of(List.of(BpfInstruction.of(0x06, 0x7fff0000)))).getFirst();
      if (error != 0) {
        oracle.close();
        skip("the kernel lets no filter with a listener be installed: errno " + error);
      }
      return oracle;
    } catch (IOException | RuntimeException e) {
      delete(folder);
      throw e;
    }
  }

  private static void skip(String reason) {
    abort("no comparison with the kernel: " + reason);
  }

  /** The instruction pointer that filters see in {@link #call}. */
  long callAddress() {
    return callAddress;
  }

  /** Whether the kernel takes filters, each: 0, or the errno of seccomp(2). */
  List<Integer> errnos(List<List<BpfInstruction>> programs) {
    programs.forEach(program -> send(program, List.of()));
    flush();
    return programs.stream().map(_ -> readErrno()).toList();
  }

  /** Whether the kernel takes a filter, asked by really installing it. */
  int errnoOfInstallation(List<BpfInstruction> program, SeccompData call) {
    send(program, List.of(call));
    flush();
    int error = readErrno();
    if (error == 0) {
      read(Long.BYTES);
    }
    return error;
  }

  /** How often a process can install a filter, which has to allow seccomp(2). */
  int stackable(BpfProgram program) {
    write(request(program.instructions(), STACK, List.of()));
    flush();
    ByteBuffer in = read(2 * Integer.BYTES);
    int error = in.getInt();
    if (error != ENOMEM) {
      throw new IllegalStateException("not ENOMEM, but errno " + error);
    }
    return in.getInt();
  }

  /** What system calls give under a filter that is accepted: raw results, or {@link #KILLED}. */
  List<Long> call(BpfProgram program, List<SeccompData> calls) {
    send(program.instructions(), calls);
    flush();
    int error = readErrno();
    if (error != 0) {
      throw new IllegalStateException("not accepted: errno " + error);
    }
    ByteBuffer in = read(Long.BYTES * calls.size());
    List<Long> results = new ArrayList<>();
    while (in.hasRemaining()) {
      results.add(in.getLong());
    }
    return results;
  }

  private void send(List<BpfInstruction> program, List<SeccompData> calls) {
    write(request(program, calls.size(), calls));
  }

  private static byte[] request(List<BpfInstruction> program, int count, List<SeccompData> calls) {
    ByteBuffer out =
        ByteBuffer.allocate(8 + BpfInstruction.SIZE * program.size() + CALL_SIZE * calls.size())
            .order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(program.size()).putInt(count);
    for (BpfInstruction instruction : program) {
      out.putShort((short) instruction.code())
          .put((byte) instruction.jt())
          .put((byte) instruction.jf())
          .putInt(instruction.k());
    }
    for (SeccompData call : calls) {
      out.putInt(call.nr()).putInt(0);
      for (int i = 0; i < SeccompData.ARGUMENTS; i++) {
        out.putLong(call.argument(i));
      }
    }
    return out.array();
  }

  private void write(byte[] request) {
    try {
      requests.write(request);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void flush() {
    try {
      requests.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private int readErrno() {
    return read(2 * Integer.BYTES).getInt();
  }

  private ByteBuffer read(int size) {
    try {
      byte[] bytes = answers.readNBytes(size);
      if (bytes.length != size) {
        throw new IllegalStateException("the oracle has died");
      }
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    requests.close();
    process.onExit().join();
    delete(folder);
  }

  private static void delete(Path folder) throws IOException {
    Files.deleteIfExists(folder.resolve("oracle"));
    Files.deleteIfExists(folder);
  }
}
