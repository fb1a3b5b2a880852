package dev.stubpool.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an embedder does, and what is done to it, while a program runs. */
class SandboxKernelRunIT {
  private static final long SECONDS = 20;

  @TempDir private static Path scratch;
  private StubPool pool;

  @BeforeEach
  void open() {
    pool = StubPool.open(StubPoolOptions.builder().name("kernel").minIdle(1).maxStubs(8).build());
  }

  @AfterEach
  void close() {
    pool.close();
  }

  private static Command command(String words) throws IOException, InterruptedException {
    return Command.of(Toolchain.GLIBC.program("guest.c", scratch), words.split(" "));
  }

  private Outcome run(String words, OutputStream out, OutputStream err, InputStream in)
      throws IOException, InterruptedException {
    return new Sandboxed(pool).run(command(words), more -> more.output(out).errors(err).input(in));
  }

  /** A stream whose bytes go to another one, and that does something before. */
  private static final class Watched extends OutputStream {
    private final OutputStream to;
    private final Action before;

    interface Action {
      void run() throws IOException, InterruptedException;
    }

    Watched(OutputStream to, Action before) {
      this.to = to;
      this.before = before;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int size) throws IOException {
      try {
        before.run();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      to.write(bytes, offset, size);
    }
  }

  @Test
  void shouldEndAWriteForWhichItIsSetNotToWait() throws IOException, InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PipedOutputStream line = new PipedOutputStream();
    PipedInputStream in = new PipedInputStream(line);
    CountDownLatch set = new CountDownLatch(1);
    OutputStream slow =
        new Watched(
            out,
            () -> {
              if (set.getCount() > 0) {
                line.write('\n');
                line.flush();
              }
              assertThat(set.await(SECONDS, TimeUnit.SECONDS)).isTrue();
            });

    Outcome outcome =
        run("changed", slow, new Watched(OutputStream.nullOutputStream(), set::countDown), in);

    assertThat(outcome.status()).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("first\n6\n");
  }

  private static void assertNoThread(String name) throws InterruptedException {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals(name)) {
        assertThat(thread.join(Duration.ofSeconds(SECONDS))).as(name + " ends").isTrue();
      }
    }
  }

  /** Runs what waits for input, and does something once it does. */
  private void runWaiting(Runnable meanwhile) throws IOException, InterruptedException {
    CountDownLatch over = new CountDownLatch(1);
    InputStream in =
        new InputStream() {
          @Override
          public int read() throws IOException {
            meanwhile.run();
            try {
              assertThat(over.await(2 * SECONDS, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            return -1;
          }

          @Override
          public int read(byte[] to, int offset, int size) throws IOException {
            return read();
          }
        };
    OutputStream none = OutputStream.nullOutputStream();
    try {
      Outcome _ = run("waits", none, none, in);
    } finally {
      over.countDown();
    }
  }

  private void killStubs() {
    ProcessHandle.current()
        .children()
        .filter(child -> child.pid() != pool.sourcePid())
        .forEach(ProcessHandle::destroyForcibly);
  }

  @Test
  void shouldFailIfAStubDiesInWhichAllWait() throws InterruptedException {
    assertThatThrownBy(() -> runWaiting(this::killStubs))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("the stub of process 2 is dead");

    assertNoThread("stubpool-alarms");
  }

  @Test
  void shouldFailIfThePoolIsClosed() throws InterruptedException {
    assertThatThrownBy(() -> runWaiting(pool::close))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("the stub of process 2 is dead");

    assertNoThread("stubpool-alarms");
  }

  /** Its output is slow until it has ended, and a little longer. */
  @Test
  void shouldWaitForTheLastOutput() throws IOException, InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CountDownLatch ended = new CountDownLatch(1);
    OutputStream slow =
        new Watched(
            out,
            () -> {
              assertThat(ended.await(SECONDS, TimeUnit.SECONDS)).isTrue();
              Thread.sleep(20);
            });

    Outcome outcome =
        new Sandboxed(pool)
            .run(
                command("late"),
                more ->
                    more.output(slow)
                        .trace(
                            line -> {
                              if (line.contains("+++ exited")) {
                                ended.countDown();
                              }
                            }));

    assertThat(outcome.status()).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("late\n");
  }

  private Program.Builder waiting() throws IOException, InterruptedException {
    Command command = command("waits");
    return Program.builder(command.program())
        .arguments(command.words())
        .input(new PipedInputStream(new PipedOutputStream()))
        .output(OutputStream.nullOutputStream())
        .errors(OutputStream.nullOutputStream());
  }

  @Test
  void shouldEndWhatItsEmbedderFailedToTakeNoteOf() throws IOException, InterruptedException {
    RuntimeException failure = new IllegalStateException("no note");
    SandboxKernel kernel = new SandboxKernel(pool);
    Program program = waiting().build();

    assertThatThrownBy(
            () ->
                kernel.run(
                    program,
                    _ -> {
                      throw failure;
                    }))
        .isSameAs(failure);

    assertThat(pool.stats().leased()).isZero();
  }

  /** A trace that throws stands for whatever may fail while the kernel serves a call. */
  @Test
  void shouldEndOnlyTheProgramInWhoseCallTheKernelFails() throws IOException, InterruptedException {
    RuntimeException failure = new IndexOutOfBoundsException("in a call");
    SandboxKernel kernel = new SandboxKernel(pool);
    Program failing =
        waiting()
            .trace(
                _ -> {
                  throw failure;
                })
            .build();

    assertThatThrownBy(() -> kernel.run(failing))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("in a call")
        .hasCause(failure);

    assertThat(pool.stats().leased()).isZero();
    assertThat(new Sandboxed(pool).run(command("late")).status()).isZero();
  }

  @Test
  void shouldEndWhatTookTooLongThoughNobodyCanBeTold() throws IOException, InterruptedException {
    RuntimeException failure = new IllegalStateException("no diagnostics");
    SandboxKernel kernel = new SandboxKernel(pool);
    Program program =
        waiting()
            .timeout(Duration.ofMillis(1))
            .diagnostics(
                _ -> {
                  throw failure;
                })
            .build();

    assertThatThrownBy(() -> kernel.run(program)).isSameAs(failure);

    assertThat(pool.stats().leased()).isZero();
  }

  @Test
  void shouldTakeTheLongestTimeout() throws IOException, InterruptedException {
    SandboxKernel kernel = new SandboxKernel(pool);
    Program program = waiting().timeout(ChronoUnit.FOREVER.getDuration()).build();

    assertThat(kernel.run(program, RunningProgram::kill)).isEqualTo(128 + 9);
  }

  @Test
  void shouldRunOnWhileItsEmbedderIsTold() throws IOException, InterruptedException {
    int status =
        new SandboxKernel(pool)
            .run(
                waiting().build(),
                running -> {
                  FutureTask<?> kill = new FutureTask<>(running::kill, null);
                  Thread _ = Thread.ofPlatform().daemon().start(kill);
                  try {
                    var _ = kill.get(SECONDS, TimeUnit.SECONDS);
                  } catch (ExecutionException | InterruptedException | TimeoutException e) {
                    throw new IllegalStateException(e);
                  }
                });

    assertThat(status).isEqualTo(128 + 9);
  }

  @Test
  void shouldLeaveNoLargeFileInMemory() throws IOException, InterruptedException {
    assertThat(new Sandboxed(pool).run(command("large")).status()).isZero();

    assertThat(memoryFiles()).noneMatch(size -> size == 17 << 20);
  }

  /** The sizes of this JVM's memory files. */
  private static List<Long> memoryFiles() throws IOException {
    List<Long> sizes = new ArrayList<>();
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors) {
        try {
          if (Files.readSymbolicLink(descriptor).toString().startsWith("/memfd:")) {
            sizes.add(Files.size(descriptor));
          }
        } catch (NoSuchFileException _) {
          // closed meanwhile
        }
      }
    }
    return sizes;
  }
}
