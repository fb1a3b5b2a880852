package dev.stubpool.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.AddressSpace;
import dev.stubpool.DeniedSystemCallException;
import dev.stubpool.HostFile;
import dev.stubpool.Mapping;
import dev.stubpool.MemoryFile;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.Stub;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubMemory;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubState;
import dev.stubpool.SystemCallException;
import dev.stubpool.abi.Errno;
import dev.stubpool.memory.MappingTable.Range;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.support.Internals;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library's table of mappings beside the kernel's. */
class MappingTableIT {
  private static final long START = 0x1000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final int PAGES = 48;
  private static final long MEMORY = Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;

  @TempDir Path folder;

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("table").minIdle(0).maxStubs(4).build());
  private final MemoryFile[] files = {pool.memoryFile(8 * PAGE), pool.memoryFile(PAGES * PAGE)};
  private HostFile readOnly;
  private HostFile writable;

  @BeforeEach
  void open() throws IOException {
    byte[] content = new byte[20 * (int) PAGE];
    readOnly = pool.mappable(Files.write(folder.resolve("one"), content));
    Path other = Files.write(folder.resolve("other"), content);
    writable = pool.mappable(other, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  @AfterEach
  void close() {
    pool.close();
    files[0].close();
    files[1].close();
    readOnly.close();
    writable.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  /** A line of either table; {@code source} is a number for each different one. */
  private record Line(long start, long end, String permissions, long offset, Object source) {
    boolean goesOnIn(Line next) {
      return end == next.start
          && permissions.equals(next.permissions)
          && source.equals(next.source)
          && (source.equals("") || offset + (end - start) == next.offset);
    }
  }

  /** The kernel's, with what it keeps apart for reasons of its own put together. */
  private static List<Line> ofTheKernel(Stub stub) throws IOException {
    List<Line> lines = new ArrayList<>();
    for (ProcMaps.Mapping mapping : ProcMaps.of(stub.pid())) {
      if (mapping.start() >= START && mapping.start() < START + 2 * PAGES * PAGE) {
        Line line =
            new Line(
                mapping.start(),
                mapping.end(),
                mapping.permissions(),
                mapping.offset(),
                mapping.inode() == 0 ? "" : mapping.inode() + mapping.name());
        if (!lines.isEmpty() && lines.getLast().goesOnIn(line)) {
          Line last = lines.removeLast();
          line = new Line(last.start, line.end, line.permissions, last.offset, line.source);
        }
        lines.add(line);
      }
    }
    return lines;
  }

  private static List<Line> ofTheLibrary(Stub stub) {
    List<Line> lines = new ArrayList<>();
    for (Range range : Internals.process(stub).mappings.ranges()) {
      int bits = range.protection().bits();
      String permissions =
          ((bits & Abi.PROT_READ) != 0 ? "r" : "-")
              + ((bits & Abi.PROT_WRITE) != 0 ? "w" : "-")
              + ((bits & Abi.PROT_EXEC) != 0 ? "x" : "-")
              + (range.sharing() == Sharing.SHARED ? "s" : "p");
      lines.add(
          new Line(
              range.start(),
              range.end(),
              permissions,
              range.offset(),
              range.source() == null ? "" : range.source()));
    }
    return lines;
  }

  /** Both are the same if each source of the one is always the same source of the other. */
  private static void check(Stub stub, String when) throws IOException {
    List<Line> kernel = ofTheKernel(stub);
    List<Line> library = ofTheLibrary(stub);
    assertThat(names(library)).as("%s\n%s\n%s\n", when, library, kernel).isEqualTo(names(kernel));
    assertThat(stub.memory().mappings())
        .as(when)
        .map(mapping -> mapping.start() + "-" + mapping.end())
        .isEqualTo(library.stream().map(line -> line.start + "-" + line.end).toList());
  }

  /** With numbers instead of sources, in the order in which they appear. */
  private static List<Line> names(List<Line> lines) {
    Map<Object, Integer> numbers = new HashMap<>(Map.of("", 0));
    return lines.stream()
        .map(
            line -> {
              int number = numbers.computeIfAbsent(line.source, ignored -> numbers.size());
              return new Line(line.start, line.end, line.permissions, line.offset, number);
            })
        .toList();
  }

  @Test
  void shouldBeAsTheKernels() throws IOException {
    long seed = new Random().nextLong();
    for (int round = 0; round < Effort.cases(8, 200); round++) {
      Random random = new Random(seed + round);
      List<Stub> stubs = new ArrayList<>(List.of(pool.acquire()));
      try {
        for (int step = 0; step < 200; step++) {
          Stub stub = stubs.get(random.nextInt(stubs.size()));
          String did = step(random, stub);
          check(stub, "seed " + (seed + round) + ", step " + step + ", " + did);
          if (stubs.size() < 3 && random.nextInt(60) == 0) {
            Stub child = stub.spawnChild();
            stubs.add(child);
            check(child, "seed " + (seed + round) + ", copy at step " + step);
          }
        }
      } finally {
        stubs.stream().skip(1).forEach(Stub::kill); // for others to have room
        stubs.forEach(Stub::close);
      }
    }
    Stub again = pool.acquire();
    assertThat(again.memory().mappings()).isEmpty();
    again.close();
  }

  /** Does something; what fails is part of it. */
  private String step(Random random, Stub stub) {
    StubMemory memory = stub.memory();
    int first = random.nextInt(PAGES);
    int count = 1 + random.nextInt(Math.min(12, PAGES - first));
    long address = START + first * PAGE;
    long size = count * PAGE;
    Protection protection = Protection.of(random.nextInt(8));
    Sharing sharing = random.nextBoolean() ? Sharing.SHARED : Sharing.PRIVATE;
    long offset = random.nextInt(6) * PAGE;
    int what = random.nextInt(13);
    String did =
        "%d of %d pages at %d, %s, %s, offset %d"
            .formatted(what, count, first, protection, sharing, offset);
    try {
      switch (what) {
        case 0, 1 -> memory.map(address, files[what], offset, size, protection, sharing);
        case 2 -> memory.map(address, readOnly, offset, size, protection, sharing);
        case 3 -> memory.map(address, writable, offset, size, protection, sharing);
        case 4 -> memory.mapAnonymous(address, size, protection);
        case 5 -> memory.unmap(address, size);
        case 6, 7, 8 -> memory.protect(address, size, protection);
        case 9 -> memory.write(address + 5, new byte[] {1}); // gives the range pages of its own
        case 10 -> {
          long flags = Abi.MAP_SHARED | Abi.MAP_ANONYMOUS | Abi.MAP_FIXED;
          return did + mmap(stub, address, size, protection, flags);
        }
        case 11 -> {
          long flags = MEMORY | Abi.MAP_FIXED_NOREPLACE | Abi.MAP_NORESERVE;
          return did + mmap(stub, address, size - 5, protection, flags);
        }
        default -> {
          int number = random.nextBoolean() ? Abi.SYS_mprotect : Abi.SYS_munmap;
          // Also what cannot be: unaligned, too large, nothing at all.
          long odd = random.nextInt(3) == 0 ? random.nextInt(100) : 0;
          long length = random.nextInt(4) == 0 ? -random.nextInt(9_000) : size - odd;
          return did + " " + stub.syscall(number, address + odd, length, protection.bits());
        }
      }
    } catch (SystemCallException | DeniedSystemCallException e) {
      return did + ": " + e.getMessage();
    }
    return did;
  }

  private static String mmap(
      Stub stub, long address, long size, Protection protection, long flags) {
    return " " + stub.syscall(Abi.SYS_mmap, address, size, protection.bits(), flags, -1, 0);
  }

  @Test
  void shouldKnowWhatAFailedCallChanged() throws IOException {
    try (Stub stub = pool.acquire()) {
      StubMemory memory = stub.memory();
      memory.mapAnonymous(START, 2 * PAGE, Protection.READ);
      memory.map(START + 2 * PAGE, readOnly, 0, PAGE, Protection.READ, Sharing.SHARED);
      memory.mapAnonymous(START + 3 * PAGE, PAGE, Protection.READ);
      assertThatThrownBy(() -> memory.protect(START, 4 * PAGE, Protection.READ_WRITE))
          .hasMessageStartingWith("mprotect: EACCES");
      assertThat(memory.mappings())
          .map(Mapping::protection)
          .containsExactly(Protection.READ_WRITE, Protection.READ, Protection.READ);
      check(stub, "after EACCES");

      memory.unmap(START + PAGE, PAGE);
      assertThat(stub.syscall(Abi.SYS_mprotect, START, 4 * PAGE, 0)).isEqualTo(-Errno.ENOMEM);
      assertThat(memory.mappings())
          .map(Mapping::protection)
          .containsExactly(Protection.NONE, Protection.READ, Protection.READ);
      check(stub, "after ENOMEM");
    }
  }

  @Test
  void shouldNoteRacingCallsInTheKernelsOrder() throws Exception {
    try (Stub stub = pool.acquire()) {
      int threads = 4;
      CyclicBarrier round = new CyclicBarrier(threads);
      ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
      List<Thread> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        Protection mine = Protection.of(i);
        boolean first = i == 0;
        all.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        for (int n = 0; n < 300; n++) {
                          round.await();
                          if (mine == Protection.NONE) {
                            stub.memory().unmap(START, PAGE);
                          } else {
                            stub.memory().mapAnonymous(START, PAGE, mine);
                          }
                          round.await();
                          if (first) {
                            check(stub, "round " + n);
                          }
                        }
                      } catch (Throwable e) {
                        failures.add(e);
                        round.reset();
                      }
                    }));
      }
      for (Thread thread : all) {
        thread.join();
      }
      assertThat(failures).isEmpty();
    }
  }

  @Test
  void shouldForgetWhenTheLeaseEnds() {
    Stub old = pool.acquire();
    old.memory().mapAnonymous(START, PAGE, Protection.READ);
    assertThat(old.memory().mappings()).hasSize(1);
    old.close();
    try (Stub next = pool.acquire()) {
      assertThat(next.pid()).isEqualTo(old.pid());
      assertThat(next.memory().mappings()).isEmpty();
      next.memory().mapAnonymous(START, PAGE, Protection.READ);
      assertThatThrownBy(() -> old.memory().mappings())
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this lease of stub " + old.pid() + " is closed");
      next.kill();
      Proc.await("its end", () -> next.state() == StubState.DEAD);
      assertThatThrownBy(() -> next.memory().mappings()).isInstanceOf(StubDiedException.class);
    }
  }
}
