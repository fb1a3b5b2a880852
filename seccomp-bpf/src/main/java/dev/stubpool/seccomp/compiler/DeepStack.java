package dev.stubpool.seccomp.compiler;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** Runs deeply recursive code: the depth can be the longest chain of tests in a program. */
final class DeepStack {

  private static final long BYTES = 256L << 20;

  private DeepStack() {}

  /**
   * Runs a task in a thread with a large stack and waits for it.
   *
   * @param task the task
   * @return its result
   * @throws RuntimeException if the task throws it
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
