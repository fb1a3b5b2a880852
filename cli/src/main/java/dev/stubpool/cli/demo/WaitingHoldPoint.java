package dev.stubpool.cli.demo;

import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Waits for Enter, end of input, SIGINT or SIGTERM. A signal begins the JVM's shutdown, which a
 * shutdown hook delays until the demo has closed its pool and counted the remaining processes.
 */
final class WaitingHoldPoint implements HoldPoint {
  private static final int LINE_WIDTH = 90;
  private static final int LONGEST_END_SECONDS = 60;
  private static final Path NO_INPUT = Path.of("/dev/null");

  private final PrintWriter out;
  private final String prefix;
  private final CountDownLatch goOn = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);

  /** Prints instructions to {@code out}, in lines that start with {@code prefix}. */
  WaitingHoldPoint(PrintWriter out, String prefix) {
    this.out = out;
    this.prefix = prefix;
  }

  @Override
  public void hold(StubPool pool, List<Stub> stubs) {
    Runtime.getRuntime().addShutdownHook(new Thread(this::endInOrder, "stubpool-demo-end"));
    tell(pool, stubs);
    if (!hasNoInput()) {
      Thread.ofPlatform().daemon().name("stubpool-demo-input").start(this::awaitInput);
    }
    try {
      goOn.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void tell(StubPool pool, List<Stub> stubs) {
    long self = ProcessHandle.current().pid();
    int source = pool.sourcePid();
    print("holding. JVM " + self + ", source " + source + ", stubs:");
    StringBuilder line = new StringBuilder();
    for (Stub stub : stubs) {
      if (line.length() > LINE_WIDTH) {
        print(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "  " : " ").append(stub.pid());
    }
    print(line.toString());
    print("see:   stubpool ps");
    print("       stubpool inspect " + stubs.getFirst().pid());
    print("       stubpool maps " + stubs.getFirst().pid());
    print(hasNoInput() ? "continue: kill " + self : "continue: Enter, Ctrl-C or kill " + self);
    out.flush();
  }

  private void print(String line) {
    out.println(prefix + line);
  }

  private void awaitInput() {
    try {
      int c;
      do {
        c = System.in.read();
      } while (c >= 0 && c != '\n');
    } catch (IOException e) {
      // Unreadable input counts as ended.
    }
    goOn.countDown();
  }

  /**
   * Whether standard input is /dev/null, as for a background process, so that its end means
   * nothing.
   */
  private static boolean hasNoInput() {
    try {
      return Path.of("/proc/self/fd/0").toRealPath().equals(NO_INPUT);
    } catch (IOException e) {
      return false;
    }
  }

  private void endInOrder() {
    goOn.countDown();
    try {
      if (!ended.await(LONGEST_END_SECONDS, TimeUnit.SECONDS)) {
        out.println(prefix + "the demo does not end; its stubs die with this JVM");
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    ended.countDown();
  }
}
