package dev.stubpool.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs commands on the host. */
final class Native {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private Native() {}

  /** Runs a command to its end, and until nobody holds its standard output any more. */
  static Outcome run(Command command) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(command.words()).directory(command.directory().toFile());
    Map<String, String> environment = builder.environment();
    environment.clear();
    for (String entry : command.environment()) {
      int equals = entry.indexOf('=');
      environment.put(entry.substring(0, equals), entry.substring(equals + 1));
    }
    Process process = builder.start();
    Thread.ofPlatform().daemon().start(() -> write(process.getOutputStream(), command.input()));
    FutureTask<String> out = reading(process.getInputStream());
    FutureTask<String> err = reading(process.getErrorStream());
    try {
      if (process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        return new Outcome(
            process.exitValue(),
            out.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS),
            err.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS));
      }
    } catch (TimeoutException _) {
      // said below
    } catch (ExecutionException e) {
      throw new AssertionError("cannot read from " + command + " on the host", e);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    throw new AssertionError("not done on the host after " + LIMIT + ": " + command);
  }

  private static void write(OutputStream to, String input) {
    try (to) {
      to.write(input.getBytes(StandardCharsets.ISO_8859_1));
    } catch (IOException _) {
      // it does not read all of it
    }
  }

  private static FutureTask<String> reading(InputStream from) {
    FutureTask<String> task = new FutureTask<>(() -> read(from));
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  private static String read(InputStream from) {
    try (from) {
      return new String(from.readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
