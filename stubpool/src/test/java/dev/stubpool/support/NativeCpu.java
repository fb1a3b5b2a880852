package dev.stubpool.support;

import dev.stubpool.testing.CProgram;
import dev.stubpool.testing.ChildJvm;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Asks this machine's CPU and kernel, in an ordinary process, what tests must not assume of them:
 * where manufacturers differ, a guest has to do as a process on the same machine does. The process
 * is a C program, {@code src/test/c/native_cpu.c}, that shares no code with the library.
 */
public final class NativeCpu {
  private static final long PATIENCE_SECONDS = 20;
  private static Path program;

  private NativeCpu() {}

  /**
   * A signal that an instruction raised.
   *
   * @param address si_addr
   * @param number si_syscall, of SIGSYS
   * @param architecture si_arch, of SIGSYS
   * @param trap the exception's vector, in the signal frame
   * @param error its error code
   * @param cr2 the address of the last page fault
   */
  public record Signal(
      int signal,
      int code,
      long address,
      long rip,
      int number,
      int architecture,
      int trap,
      long error,
      long cr2) {}

  /**
   * Runs machine code, in hex, to its first fault or int3.
   *
   * @param options as the C program takes them
   */
  public static List<Signal> run(String hex, String... options) {
    List<String> command = new ArrayList<>(List.of(program(), "run", hex.replace(" ", "")));
    command.addAll(List.of(options));
    ChildJvm.Outcome outcome = ChildJvm.run(command);
    if (outcome.status() != 0) {
      throw new AssertionError(
          command + " ended with status " + outcome.status() + ": " + outcome.output());
    }
    List<Signal> signals = outcome.output().lines().map(NativeCpu::parse).toList();
    if (signals.isEmpty()) {
      throw new AssertionError(command + " raised no signal");
    }
    return signals;
  }

  private static Signal parse(String line) {
    String[] words = line.split(" ", -1);
    return new Signal(
        Integer.parseInt(words[0]),
        Integer.parseInt(words[1]),
        Long.parseUnsignedLong(words[2], 16),
        Long.parseUnsignedLong(words[3], 16),
        Integer.parseUnsignedInt(words[4], 16),
        Integer.parseUnsignedInt(words[5], 16),
        Integer.parseInt(words[6], 16),
        Long.parseUnsignedLong(words[7], 16),
        Long.parseUnsignedLong(words[8], 16));
  }

  /** A traced process that loads vector states, and executes STMXCSR. */
  public static final class States implements AutoCloseable {
    private final Process process;
    private final OutputStream requests;
    private final DataInputStream answers;

    /** Starts one. */
    public States() {
      try {
        process = new ProcessBuilder(program(), "state").redirectError(Redirect.INHERIT).start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      requests = process.getOutputStream();
      answers = new DataInputStream(process.getInputStream());
    }

    /**
     * What STMXCSR stores in an ordinary process once PTRACE_SETREGSET has set a state.
     *
     * @param state an XSAVE area as ptrace(2) takes it
     */
    public int mxcsr(byte[] state) {
      ByteBuffer request =
          ByteBuffer.allocate(Long.BYTES + state.length).order(ByteOrder.LITTLE_ENDIAN);
      request.putLong(state.length).put(state);
      try {
        requests.write(request.array());
        requests.flush();
        int answer = Integer.reverseBytes(answers.readInt());
        if (answer == -1) {
          throw new AssertionError("the kernel takes no such state in an ordinary process");
        }
        return answer;
      } catch (IOException e) {
        throw new UncheckedIOException("see the standard error of native_cpu", e);
      }
    }

    @Override
    public void close() {
      try {
        requests.close();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError("native_cpu does not end");
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  /** Compiles the program unless it was; skips the test if there is no C compiler. */
  private static synchronized String program() {
    if (program == null) {
      try {
        program = compile();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
    return program.toString();
  }

  private static Path compile() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("native-cpu");
    Path compiled = folder.resolve("native_cpu");
    folder.toFile().deleteOnExit();
    compiled.toFile().deleteOnExit(); // before its folder
    // The signal handler runs without thread-local storage, where the stack protector has its word.
    CProgram.compile(Path.of("src/test/c/native_cpu.c"), compiled, "-O1", "-fno-stack-protector");
    return compiled;
  }
}
