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
 * hook holds up until the demo has ended: it closes its pool and counts what is left, as always.
 */
final class WaitingHoldPoint implements HoldPoint {
  private static final int LINE_WIDTH = 90;
  private static final int LONGEST_END_SECONDS = 60;
  private static final Path NO_INPUT = Path.of("/dev/null");

  private final PrintWriter out;
  private final String prefix;
  private final CountDownLatch goOn = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);

  /** Tells what to look at in lines that start with {@code prefix}. */
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
    int source = pool.stats().sourcePid();
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
    print("look:  stubpool ps");
    print("       stubpool inspect " + stubs.getFirst().pid());
    print("       stubpool maps " + stubs.getFirst().pid());
    print(hasNoInput() ? "go on: kill " + self : "go on: Enter, Ctrl-C or kill " + self);
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
      // Input that cannot be read has ended.
    }
    goOn.countDown();
  }

  /** Who runs it in the background has no input that could end. */
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
        out.println(prefix + "it does not end; the stubs die with this JVM");
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
