package dev.stubpool.kernel;

import dev.stubpool.StubPool;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;

/** Runs commands in the kernel. */
record Sandboxed(StubPool pool) {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** How much later than the program's own limit the kernel may be. */
  private static final Duration GRACE = Duration.ofSeconds(15);

  /** Runs a command to its end. */
  Outcome run(Command command) throws InterruptedException {
    return run(command, UnaryOperator.identity());
  }

  /** Runs a command to its end, with more that a program of the kernel may get. */
  Outcome run(Command command, UnaryOperator<Program.Builder> more) throws InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Program program =
        more.apply(
                Program.builder(command.program())
                    .arguments(command.words())
                    .environment(command.environment())
                    .workingDirectory(command.directory())
                    .input(
                        new ByteArrayInputStream(
                            command.input().getBytes(StandardCharsets.ISO_8859_1)))
                    .output(out)
                    .errors(err)
                    .timeout(LIMIT))
            .build();
    FutureTask<Integer> task = new FutureTask<>(() -> new SandboxKernel(pool).run(program));
    Thread thread = Thread.ofPlatform().daemon().name("kernel of " + command).start(task);
    try {
      int status = task.get(LIMIT.plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
      return new Outcome(status, text(out), text(err));
    } catch (TimeoutException _) {
      String where = Arrays.toString(thread.getStackTrace());
      task.cancel(true);
      throw new AssertionError(
          "not done in the kernel after %s and %s, in %s: %s, which wrote%n%s%n%s"
              .formatted(LIMIT, GRACE, where, command, text(out), text(err)));
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError("the kernel failed: " + command, e.getCause());
    }
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.ISO_8859_1);
  }
}
