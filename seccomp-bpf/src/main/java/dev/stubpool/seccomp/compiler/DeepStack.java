package dev.stubpool.seccomp.compiler;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** Runs what recurses deeply: as deep as the longest chain of tests, which is that of a program. */
final class DeepStack {

  private static final long BYTES = 256L << 20;

  private DeepStack() {}

  /**
   * Runs in a thread with a large stack, and waits for it.
   *
   * @param task what to run
   * @return its result
   * @throws RuntimeException what the task throws
   */
  static <T> T call(Supplier<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Runnable body =
        () -> {
          try {
            result.complete(task.get());
          } catch (RuntimeException | Error e) {
            result.completeExceptionally(e);
          }
        };
    Thread thread = new Thread(null, body, "seccomp compiler", BYTES);
    thread.setDaemon(true);
    thread.start();
    try {
      return result.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        default -> throw e;
      }
    }
  }
}
