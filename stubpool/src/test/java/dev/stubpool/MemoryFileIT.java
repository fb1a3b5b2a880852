package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.abi.Errno;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.memory.Memfd;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.support.Internals;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Memory that this JVM and stubs have in common, on the real kernel. */
class MemoryFileIT {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long ELSEWHERE = 0x2000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final String NAME = "/memfd:stubpool-memory";

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("memory").minIdle(0).maxStubs(8).build());

  @AfterEach
  void shouldLeaveNothing() {
    assertThat(Internals.window(pool).freeSlots()).isEqualTo(pool.isClosed() ? 0 : 256);
    pool.close();
    assertThat(Descriptors.of(NAME)).isEmpty();
    assertThat(Descriptors.mappings(NAME)).isEmpty();
    assertThat(Proc.stubs()).isEmpty();
  }

  private static void map(Stub stub, Mappable file, Protection protection, Sharing sharing) {
    stub.memory().map(SOMEWHERE, file, 0, file.size(), protection, sharing);
  }

  // ---- sizes ----

  @Test
  void shouldRoundUpToWholePages() {
    for (long size : new long[] {1, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE}) {
      try (MemoryFile file = pool.memoryFile(size)) {
        long pages = (size + PAGE - 1) / PAGE;
        assertThat(file.size()).isEqualTo(pages * PAGE);
        assertThat(file.segment().byteSize()).isEqualTo(file.size());
        assertThat(file).hasToString("memory file of " + file.size() + " bytes");
        assertThat(file.segment().toArray(JAVA_BYTE)).containsOnly(0);
        file.segment().set(JAVA_BYTE, file.size() - 1, (byte) 1);
        assertThatThrownBy(() -> file.segment().get(JAVA_BYTE, file.size()))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }

  @Test
  void shouldRefuseSizesThatCannotBe() {
    for (long size : new long[] {0, -1, Long.MIN_VALUE}) {
      assertThatThrownBy(() -> pool.memoryFile(size))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("size is " + size + ", must be positive");
    }
    for (long size : new long[] {Long.MAX_VALUE, Long.MAX_VALUE - PAGE + 2}) {
      assertThatThrownBy(() -> pool.memoryFile(size))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("size is " + size + ", must be positive, at most 9223372036854771712");
    }
    // More than there are addresses: the kernel's to say.
    for (long size : new long[] {Long.MAX_VALUE - PAGE + 1, 1L << 62, 1L << 57}) {
      assertThatThrownBy(() -> pool.memoryFile(size))
          .isInstanceOf(SystemCallException.class)
          .hasMessageMatching("(mmap: ENOMEM|ftruncate: EFBIG) while making a memory file of .*");
    }
  }

  @Test
  void shouldBeSparse() {
    long size = 6L << 30;
    try {
      pool.memoryFile(size).close();
    } catch (SystemCallException e) {
      Assumptions.abort("no room for 6 GiB of addresses: " + e.getMessage());
    }
    try (MemoryFile file = pool.memoryFile(size);
        Stub stub = pool.acquire()) {
      long last = size - Long.BYTES;
      file.segment().set(JAVA_LONG, last, 0x123456789abcdefL);
      stub.memory().map(ELSEWHERE, file, 0, size, Protection.READ_WRITE, Sharing.SHARED);
      // And from behind 4 GiB, where an offset no longer fits into 32 bits.
      long offset = (5L << 30) + PAGE;
      stub.memory().map(SOMEWHERE, file, offset, PAGE, Protection.READ_WRITE, Sharing.SHARED);
      stub.memory().write(SOMEWHERE, "far".getBytes(UTF_8));
      assertThat(file.segment().getString(offset)).isEqualTo("far");
      assertThat(stub.memory().read(ELSEWHERE + offset, 3)).isEqualTo("far".getBytes(UTF_8));
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment word = arena.allocate(JAVA_LONG);
        stub.memory().read(ELSEWHERE + last, word);
        assertThat(word.get(JAVA_LONG, 0)).isEqualTo(0x123456789abcdefL);
      }
      assertThat(blocks(file)).as("blocks of 512 bytes that it takes").isLessThan(100);
    }
  }

  /** st_blocks of the file, by way of the descriptor. */
  private static long blocks(MemoryFile file) {
    return ((Memfd) file)
        .use(
            fd -> {
              try {
                Process stat =
                    new ProcessBuilder("stat", "-L", "-c", "%b", "/proc/self/fd/0")
                        .redirectInput(
                            Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + fd)
                                .toFile())
                        .start();
                return Long.parseLong(
                    new String(stat.getInputStream().readAllBytes(), UTF_8).strip());
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  @Test
  void shouldSayThatFilesMayNotBeSoLarge() {
    List<String> command = new ArrayList<>(List.of("prlimit", "--fsize=1048576"));
    command.addAll(ChildJvm.command(Large.class));
    assertThat(ChildJvm.run(command).output())
        .contains(
            "ftruncate: EFBIG while making a memory file of 2097152 bytes",
            "descriptors left: 0",
            "and smaller ones can be made");
  }

  /** Makes a memory file beyond RLIMIT_FSIZE. */
  static final class Large {
    public static void main(String[] arguments) {
      try (StubPool pool =
          StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(1).build())) {
        try (MemoryFile file = pool.memoryFile(2 << 20)) {
          System.out.println("made " + file);
        } catch (SystemCallException e) {
          System.out.println(e.getMessage());
        }
        System.out.println("descriptors left: " + Descriptors.of(NAME).size());
        try (MemoryFile file = pool.memoryFile(1 << 20)) {
          System.out.println(file.size() > 0 ? "and smaller ones can be made" : "");
        }
      }
    }
  }

  // ---- mappings ----

  @Test
  void shouldShareAsAskedTo() {
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub one = pool.acquire();
        Stub other = pool.acquire()) {
      map(one, file, Protection.READ_WRITE, Sharing.SHARED);
      map(other, file, Protection.READ_WRITE, Sharing.PRIVATE);
      file.segment().setString(0, "from the JVM");
      assertThat(one.memory().read(SOMEWHERE, 8)).isEqualTo("from the".getBytes(UTF_8));
      assertThat(other.memory().read(SOMEWHERE, 8)).isEqualTo("from the".getBytes(UTF_8));
      one.memory().write(SOMEWHERE, "by one  ".getBytes(UTF_8));
      assertThat(file.segment().getString(0)).isEqualTo("by one   JVM");
      other.memory().write(SOMEWHERE, "by other".getBytes(UTF_8));
      assertThat(file.segment().getString(0)).isEqualTo("by one   JVM");
      assertThat(one.memory().read(SOMEWHERE, 8)).isEqualTo("by one  ".getBytes(UTF_8));
    }
  }

  @Test
  void shouldMapWithEveryProtection() throws IOException {
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub stub = pool.acquire()) {
      for (Sharing sharing : Sharing.values()) {
        for (Protection protection : Protection.values()) {
          map(stub, file, protection, sharing);
          int bits = protection.bits();
          String expected =
              ((bits & Abi.PROT_READ) != 0 ? "r" : "-")
                  + ((bits & Abi.PROT_WRITE) != 0 ? "w" : "-")
                  + ((bits & Abi.PROT_EXEC) != 0 ? "x" : "-")
                  + (sharing == Sharing.SHARED ? "s" : "p");
          assertThat(ProcMaps.of(stub.pid()).stream().filter(m -> m.start() == SOMEWHERE).toList())
              .singleElement()
              .matches(m -> m.permissions().equals(expected) && m.name().startsWith(NAME));
        }
      }
    }
  }

  @Test
  void shouldMapPartsInPlaceOfOthers() {
    try (MemoryFile file = pool.memoryFile(4 * PAGE);
        Stub stub = pool.acquire()) {
      for (int i = 0; i < 4; i++) {
        file.segment().set(JAVA_BYTE, i * PAGE, (byte) (i + 1));
      }
      StubMemory memory = stub.memory();
      map(stub, file, Protection.READ, Sharing.SHARED);
      memory.map(SOMEWHERE + PAGE, file, 3 * PAGE, PAGE, Protection.READ, Sharing.SHARED);
      memory.map(SOMEWHERE + 3 * PAGE, file, PAGE, PAGE, Protection.READ, Sharing.PRIVATE);
      byte[] firsts = new byte[4];
      for (int i = 0; i < 4; i++) {
        firsts[i] = memory.read(SOMEWHERE + i * PAGE, 1)[0];
      }
      assertThat(firsts).containsExactly(1, 4, 3, 2);
    }
  }

  @Test
  void shouldFaultBeyondTheEndOfTheFile() {
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub stub = pool.acquire()) {
      StubMemory memory = stub.memory();
      memory.map(SOMEWHERE, file, 0, 2 * PAGE, Protection.READ_WRITE, Sharing.SHARED);
      assertThat(memory.read(SOMEWHERE, (int) PAGE)).containsOnly(0);
      for (long address : new long[] {SOMEWHERE + PAGE, SOMEWHERE + 2 * PAGE - 1}) {
        assertThatThrownBy(() -> memory.read(address, 1))
            .isInstanceOf(SystemCallException.class)
            .hasMessage(
                "process_vm_readv: EFAULT while copying memory of stub "
                    + stub.pid()
                    + " at 0x"
                    + Long.toHexString(address));
      }
      assertThatThrownBy(() -> memory.write(SOMEWHERE + PAGE, new byte[1]))
          .hasMessageStartingWith("process_vm_writev: EFAULT");
      // A mapping that begins behind the end is allowed too: mmap(2).
      memory.map(ELSEWHERE, file, 8 * PAGE, PAGE, Protection.READ, Sharing.PRIVATE);
      assertThatThrownBy(() -> memory.read(ELSEWHERE, 1)).hasMessageContaining("EFAULT");
      assertThat(stub.syscall(Abi.SYS_getpid)).as("nothing happened to it").isEqualTo(stub.pid());
    }
  }

  @Test
  void shouldRefuseOffsetsThatCannotBe() {
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub stub = pool.acquire()) {
      StubMemory memory = stub.memory();
      for (long offset : new long[] {1, PAGE - 1, -PAGE, Long.MIN_VALUE, Long.MAX_VALUE}) {
        assertThatThrownBy(
                () -> memory.map(SOMEWHERE, file, offset, PAGE, Protection.READ, Sharing.SHARED))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("offset 0x%x must be a multiple of the page size 0x1000".formatted(offset));
      }
      long largest = Long.MAX_VALUE - PAGE + 1;
      assertThatThrownBy(
              () -> memory.map(SOMEWHERE, file, largest, PAGE, Protection.READ, Sharing.SHARED))
          .isInstanceOf(SystemCallException.class)
          .hasMessageStartingWith("mmap: EOVERFLOW while mapping memory file of 4096 bytes");
      for (long size : new long[] {0, -PAGE, Long.MIN_VALUE, Long.MAX_VALUE - PAGE + 1}) {
        assertThatThrownBy(
                () -> memory.map(SOMEWHERE, file, 0, size, Protection.READ, Sharing.SHARED))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("cannot be mapped: mappable addresses are ");
      }
      assertThatThrownBy(
              () -> memory.map(SOMEWHERE, file, 0, PAGE + 1, Protection.READ, Sharing.SHARED))
          .hasMessage(
              "address 0x10000000 and size 0x1001 must be multiples of the page size 0x1000");
    }
  }

  @Test
  void shouldRefuseNull() {
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub stub = pool.acquire()) {
      StubMemory memory = stub.memory();
      assertThatThrownBy(
              () -> memory.map(SOMEWHERE, null, 0, PAGE, Protection.READ, Sharing.SHARED))
          .isInstanceOf(NullPointerException.class);
      assertThatThrownBy(() -> memory.map(SOMEWHERE, file, 0, PAGE, null, Sharing.SHARED))
          .isInstanceOf(NullPointerException.class);
      assertThatThrownBy(() -> memory.map(SOMEWHERE, file, 0, PAGE, Protection.READ, null))
          .isInstanceOf(NullPointerException.class);
      assertThat(IdleStubIT.mappingsBesidesTheImage(pool, stub.pid())).isEmpty();
    }
  }

  @Test
  void shouldMapFilesOfOtherPools() {
    try (StubPool other =
            StubPool.open(StubPoolOptions.builder().name("other").minIdle(0).maxStubs(1).build());
        Stub stub = other.acquire();
        MemoryFile file = pool.memoryFile(PAGE)) {
      file.segment().setString(0, "shared by pools");
      map(stub, file, Protection.READ, Sharing.SHARED);
      assertThat(stub.memory().read(SOMEWHERE, 15)).isEqualTo("shared by pools".getBytes(UTF_8));
    }
  }

  // ---- copies ----

  @Test
  void shouldKeepWhatWasReadBeforeAPageThatCannotBe() {
    try (Stub stub = pool.acquire();
        Arena arena = Arena.ofConfined()) {
      long size = 3 << 20; // copied in parts
      stub.memory().mapAnonymous(SOMEWHERE, size, Protection.READ_WRITE);
      byte[] bytes = new byte[(int) size];
      new Random(5).nextBytes(bytes);
      stub.memory().write(SOMEWHERE, bytes);
      long hole = size - 5 * PAGE;
      stub.memory().unmap(SOMEWHERE + hole, PAGE);
      for (MemorySegment to :
          List.of(
              arena.allocate(size),
              MemorySegment.ofArray(new byte[(int) size]),
              MemorySegment.ofArray(new long[(int) size / Long.BYTES]))) {
        to.fill((byte) 0x5a);
        assertThatThrownBy(() -> stub.memory().read(SOMEWHERE, to))
            .isInstanceOf(SystemCallException.class)
            .hasMessageEndingWith(" at 0x" + Long.toHexString(SOMEWHERE + hole));
        assertThat(to.asSlice(0, hole).mismatch(MemorySegment.ofArray(bytes).asSlice(0, hole)))
            .isEqualTo(-1);
        assertThat(to.asSlice(hole).toArray(JAVA_BYTE)).as("the rest").containsOnly(0x5a);
      }
      byte[] others = new byte[(int) size];
      Arrays.fill(others, (byte) 1);
      assertThatThrownBy(() -> stub.memory().write(SOMEWHERE, others))
          .hasMessageEndingWith(" at 0x" + Long.toHexString(SOMEWHERE + hole));
      assertThat(stub.memory().read(SOMEWHERE, (int) hole)).containsOnly(1);
      assertThat(stub.memory().read(SOMEWHERE + hole + PAGE, (int) PAGE))
          .isEqualTo(Arrays.copyOfRange(bytes, (int) (hole + PAGE), (int) (hole + 2 * PAGE)));
    }
  }

  @Test
  void shouldCopyHeapSegmentsOfAnySize() {
    Random random = new Random(11);
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(SOMEWHERE, 4 << 20, Protection.READ_WRITE);
      for (int size : new int[] {0, 1, 4095, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_001}) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        int skew = random.nextInt(5000);
        stub.memory().write(SOMEWHERE + skew, bytes);
        assertThat(stub.memory().read(SOMEWHERE + skew, size)).isEqualTo(bytes);
        byte[] embedded = new byte[size + 20];
        stub.memory().read(SOMEWHERE + skew, MemorySegment.ofArray(embedded).asSlice(10, size));
        assertThat(Arrays.copyOfRange(embedded, 10, size + 10)).isEqualTo(bytes);
        assertThat(embedded[9]).isZero();
        assertThat(embedded[size + 10]).isZero();
      }
      assertThatThrownBy(() -> stub.memory().read(SOMEWHERE, -1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("size is -1, must not be negative");
    }
  }

  @Test
  void shouldCopyToAndFromItsSegment() {
    try (MemoryFile file = pool.memoryFile(2 * PAGE);
        Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
      file.segment().setString(0, "by way of the kernel");
      stub.memory().write(SOMEWHERE, file.segment().asSlice(0, PAGE));
      stub.memory().read(SOMEWHERE, file.segment().asSlice(PAGE));
      assertThat(file.segment().getString(PAGE)).isEqualTo("by way of the kernel");
    }
  }

  // ---- closing ----

  @Test
  void shouldLeaveTheMappingsThatAreThere() {
    try (Stub stub = pool.acquire()) {
      MemoryFile file = pool.memoryFile(PAGE);
      file.segment().setString(0, "still here");
      map(stub, file, Protection.READ_WRITE, Sharing.SHARED);
      file.close();
      file.close();
      assertThat(Descriptors.of(NAME)).isEmpty();
      assertThat(Descriptors.mappings(NAME)).isEmpty();
      assertThat(stub.memory().read(SOMEWHERE, 10)).isEqualTo("still here".getBytes(UTF_8));
      stub.memory().write(SOMEWHERE, "and can be written".getBytes(UTF_8));
    }
  }

  @Test
  void shouldRefuseUseAfterClose() {
    try (Stub stub = pool.acquire()) {
      MemoryFile file = pool.memoryFile(PAGE);
      MemorySegment segment = file.segment();
      file.close();
      assertThatThrownBy(() -> map(stub, file, Protection.READ, Sharing.SHARED))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("memory file of 4096 bytes is closed");
      assertThatThrownBy(() -> segment.get(JAVA_BYTE, 0))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("Already closed");
      assertThatThrownBy(() -> file.segment().set(JAVA_BYTE, 0, (byte) 1))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> stub.memory().read(SOMEWHERE, segment))
          .isInstanceOf(IllegalStateException.class);
      assertThat(file.size()).isEqualTo(PAGE);
    }
  }

  @Test
  void shouldOutliveItsPool() {
    MemoryFile file = pool.memoryFile(PAGE);
    pool.close();
    file.segment().setString(0, "the JVM's");
    assertThat(file.segment().getString(0)).isEqualTo("the JVM's");
    file.close();
    assertThatThrownBy(() -> pool.memoryFile(PAGE))
        .isInstanceOf(StubPoolClosedException.class)
        .hasMessage("pool memory is closed");
  }

  /** Whoever maps either has the file or is told that it is closed, and no descriptor is left. */
  @Test
  void shouldCloseWhileOthersMap() throws InterruptedException {
    int rounds = Effort.cases(100, 2_000);
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    try (Stub one = pool.acquire();
        Stub other = pool.acquire()) {
      for (int round = 0; round < rounds; round++) {
        MemoryFile file = pool.memoryFile(PAGE);
        file.segment().set(JAVA_BYTE, 0, (byte) 42);
        List<Thread> mappers = new ArrayList<>();
        for (Stub stub : List.of(one, other)) {
          mappers.add(
              Thread.ofPlatform()
                  .start(
                      () -> {
                        try {
                          while (true) {
                            map(stub, file, Protection.READ, Sharing.SHARED);
                            assertThat(stub.memory().read(SOMEWHERE, 1)).containsExactly(42);
                          }
                        } catch (IllegalStateException e) {
                          if (!"memory file of 4096 bytes is closed".equals(e.getMessage())) {
                            failures.add(e);
                          }
                        } catch (Throwable e) {
                          failures.add(e);
                        }
                      }));
        }
        List<Thread> closers =
            List.of(Thread.ofPlatform().start(file::close), Thread.ofVirtual().start(file::close));
        for (Thread closer : closers) {
          closer.join();
        }
        for (Thread mapper : mappers) {
          mapper.join();
        }
      }
    }
    assertThat(failures).isEmpty();
  }

  /** A copy under way holds off the end of the segment, and the next one meets it. */
  @Test
  void shouldCloseWhileOthersCopy() throws InterruptedException {
    int rounds = Effort.cases(100, 2_000);
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    long size = 4 << 20; // copied in four parts
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(SOMEWHERE, size, Protection.READ_WRITE);
      for (int round = 0; round < rounds; round++) {
        MemoryFile file = pool.memoryFile(size);
        AtomicBoolean copying = new AtomicBoolean();
        Thread copier =
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        copying.set(true);
                        stub.memory().read(SOMEWHERE, file.segment());
                      } catch (IllegalStateException e) {
                        if (!"Already closed".equals(e.getMessage())) {
                          failures.add(e);
                        }
                      } catch (Throwable e) {
                        failures.add(e);
                      }
                    });
        while (!copying.get()) {
          Thread.onSpinWait();
        }
        for (int spins = random.nextInt(20_000); spins > 0; spins--) {
          Thread.onSpinWait();
        }
        file.close();
        copier.join();
      }
    }
    assertThat(failures).as("seed %d", seed).isEmpty();
  }

  /** A call that uses the segment for long keeps the file open, whole. */
  @Test
  void shouldSayThatItsSegmentIsInUse() throws Exception {
    MemoryFile file = pool.memoryFile(PAGE);
    file.segment().setString(0, "in use");
    AtomicReference<String> read = new AtomicReference<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(8, 4);
      assertThat(Kernel.call(Abi.SYS_pipe2, ends.address(), 0)).isZero();
      int from = ends.get(JAVA_INT, 0);
      int to = ends.get(JAVA_INT, 4);
      long address = file.segment().address();
      Thread reader =
          Thread.ofPlatform()
              .start(
                  () -> {
                    long bytes =
                        Kernel.callOn(file.segment(), Abi.SYS_read, from, address, 8, 0, 0, 0);
                    read.set(bytes + " bytes");
                  });
      Proc.await("a reader that waits", () -> reads(from));
      assertThatThrownBy(file::close)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "memory file of 4096 bytes cannot be closed while a call of another thread uses its"
                  + " segment");
      try (Stub stub = pool.acquire()) {
        map(stub, file, Protection.READ, Sharing.SHARED);
        assertThat(stub.memory().read(SOMEWHERE, 6)).isEqualTo("in use".getBytes(UTF_8));
      }
      MemorySegment text = arena.allocateFrom("the end");
      assertThat(Kernel.call(Abi.SYS_write, to, text.address(), 8)).isEqualTo(8);
      reader.join();
      Kernel.call(Abi.SYS_close, from);
      Kernel.call(Abi.SYS_close, to);
    }
    assertThat(read).hasValue("8 bytes");
    assertThat(file.segment().getString(0)).isEqualTo("the end");
    file.close();
  }

  /** Whether a thread of this process is in read(2) of a descriptor: /proc/PID/syscall. */
  private static boolean reads(int descriptor) {
    try (var threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        String call = Files.readString(thread.resolve("syscall"));
        if (call.startsWith(Abi.SYS_read + " 0x" + Integer.toHexString(descriptor) + " ")) {
          return true;
        }
      }
      return false;
    } catch (NoSuchFileException e) {
      return false; // of a thread that ended
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- the window ----

  @Test
  void shouldSayThatTheWindowIsFullAndGoOn() {
    MappableWindow window = Internals.window(pool);
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub stub = pool.acquire()) {
      ((Memfd) file).use(fd -> occupy(window, fd, 256, stub, file));
      assertThat(window.freeSlots()).isEqualTo(256);
      assertThat(IdleStubIT.mappingsBesidesTheImage(pool, stub.pid())).isEmpty();
      map(stub, file, Protection.READ, Sharing.SHARED);
      assertThat(stub.memory().read(SOMEWHERE, 1)).containsExactly(0);
    }
  }

  private static long occupy(MappableWindow window, int fd, int more, Stub stub, MemoryFile file) {
    if (more > 0) {
      return window.during(fd, "testing", slot -> occupy(window, fd, more - 1, stub, file));
    }
    assertThatThrownBy(() -> map(stub, file, Protection.READ, Sharing.SHARED))
        .isInstanceOf(StubPoolException.class)
        .hasMessage(
            "all 256 mappable descriptors are in use while mapping memory file of 4096 bytes into"
                + " stub "
                + stub.pid()
                + "; try again");
    return 0;
  }

  @Test
  void shouldLeaveNoFileInTheWindow() {
    try (MemoryFile file = pool.memoryFile(PAGE);
        Stub stub = pool.acquire()) {
      for (int i = 0; i < 300; i++) {
        map(stub, file, Protection.READ, Sharing.SHARED);
      }
      assertThatThrownBy(
              () ->
                  stub.memory()
                      .map(
                          SOMEWHERE,
                          file,
                          Long.MAX_VALUE - PAGE + 1,
                          PAGE,
                          Protection.READ,
                          Sharing.SHARED))
          .isInstanceOf(SystemCallException.class);
      assertThat(Descriptors.of(NAME)).as("the file's own").hasSize(1);
      // What a compromised stub could do: map numbers of the window by itself.
      for (int slot = Internals.window(pool).first();
          slot <= Internals.window(pool).last();
          slot++) {
        assertThat(
                stub.syscall(
                    Abi.SYS_mmap,
                    ELSEWHERE,
                    PAGE,
                    Abi.PROT_READ,
                    Abi.MAP_PRIVATE | Abi.MAP_FIXED,
                    slot,
                    0))
            .isEqualTo(-Errno.EBADF);
      }
    }
  }
}
