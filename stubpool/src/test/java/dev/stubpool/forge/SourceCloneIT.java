package dev.stubpool.forge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.filter.StubFilter;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.image.SourceClone;
import dev.stubpool.nativestubs.image.SourceClone.Range;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The clone of a source, before it is seized. */
class SourceCloneIT {
  private static final int THREADS = 2;
  private static final int PATIENCE_SECONDS = 20;

  /** As pools do that are opened side by side: neither source may have a copy of the Java heap. */
  @Test
  void shouldKeepTheHeapFromAllOfSeveralAtOnce() throws Exception {
    int rounds = Effort.cases(30, 3_000);
    StubImage image = StubImage.get();
    long pidPage = MemoryCalls.mapShared(Abi.IMAGE_PAGE);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    CyclicBarrier begin = new CyclicBarrier(THREADS);
    try (MappableWindow window = MappableWindow.open();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      byte[] filter = StubFilter.program(image, window, TracedStub.LOWEST).toBytes();
      List<Callable<Void>> parts = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        parts.add(
            () -> {
              try (StopRunner tracer =
                  new StopRunner(TestHooks.NONE.patience(), true, dead -> {})) {
                for (int round = 0; round < rounds; round++) {
                  cloneWithoutHeap(tracer, filter, pidPage, begin);
                }
              } catch (Throwable e) {
                failure.compareAndSet(null, e);
                begin.reset(); // and the other thread fails, too
              }
              return null;
            });
      }
      for (Future<Void> part : threads.invokeAll(parts)) {
        part.get();
      }
    } finally {
      MemoryCalls.unmap(pidPage, Abi.IMAGE_PAGE);
    }
    assertThat(failure.get()).isNull();
    assertThat(Proc.stubs()).isEmpty();
  }

  private static void cloneWithoutHeap(
      StopRunner tracer, byte[] filter, long pidPage, CyclicBarrier begin) throws Exception {
    List<Range> heap = HeapMappings.among(ProcMaps.self());
    assertThat(heap).isNotEmpty();
    try (SourceClone clone = new SourceClone(filter, pidPage, null, heap, Abi.SIGCHLD, true)) {
      begin.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
      int pid = (int) clone.start();
      assertThat(pid).isPositive();
      try {
        assertThat(clone.rangesExcluded()).isEqualTo(heap.size());
        assertThat(ProcMaps.of(pid))
            .extracting(Mapping::start)
            .doesNotContainAnyElementsOf(heap.stream().map(Range::address).toList());
      } finally {
        tracer.reaper().killAndReap(new Tracee(pid));
      }
    }
  }
}
