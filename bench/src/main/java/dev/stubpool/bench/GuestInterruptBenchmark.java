package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.Affinity;
import dev.stubpool.Guest;
import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Program;
import dev.stubpool.bench.report.Row;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.locks.LockSupport;

/**
 * How long after {@code interrupt()} of another thread {@code resume()} returns, the guest
 * spinning: prints a line as the floor does. Not by JMH, for the time begins on one thread and ends
 * on another. As in the floor the tracer is asleep by then: an interrupt each 5 ms.
 */
public final class GuestInterruptBenchmark {
  private static final long CODE = 0x10_0000;
  private static final byte[] SPIN = {(byte) 0xeb, (byte) 0xfe};
  private static final long GAP_NANOS = 5_000_000;
  private static final double NANOS = 1000;

  private GuestInterruptBenchmark() {}

  /** Takes the number of samples. */
  @Program(arguments = "{samples/10}")
  @Row(group = Group.GUEST, name = "guest_interrupt", floor = "guest_interrupt")
  public static void main(String[] arguments) throws InterruptedException {
    int samples = Integer.parseInt(arguments[0]);
    long[] times = new long[samples];
    try (StubPool pool =
            StubPool.open(
                StubPoolOptions.builder()
                    .name("bench")
                    .minIdle(0)
                    .affinity(Affinity.ANY_CPU)
                    .build());
        Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(CODE, AddressSpace.PAGE_SIZE, Protection.READ_WRITE_EXECUTE);
      stub.memory().write(CODE, SPIN);
      SynchronousQueue<Long> sent = new SynchronousQueue<>();
      stub.run(
          guest -> {
            guest.registers().rip(CODE);
            Thread sender =
                Thread.ofPlatform().start(() -> send(guest.interrupter(), samples * 2, sent));
            for (int i = 0; i < samples * 2; i++) { // the first half warms up
              guest.resume();
              long end = System.nanoTime();
              times[i % samples] = end - sent.take();
            }
            sender.join();
            return null;
          });
    }
    Arrays.sort(times);
    System.out.printf(
        Locale.ROOT,
        "{\"name\":\"guest_interrupt\",\"unit\":\"us\",\"n\":%d,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"min\":%.3f}%n",
        samples,
        times[samples / 2] / NANOS,
        times[samples * 90 / 100] / NANOS,
        times[samples * 99 / 100] / NANOS,
        times[0] / NANOS);
  }

  private static void send(Guest.Interrupter interrupter, int times, SynchronousQueue<Long> sent) {
    try {
      for (int i = 0; i < times; i++) {
        LockSupport.parkNanos(GAP_NANOS);
        long start = System.nanoTime();
        interrupter.interrupt();
        sent.put(start);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
