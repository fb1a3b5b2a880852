package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.stubpool.abi.Errno;
import dev.stubpool.memory.CopyBuffers;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies, strings and shared words of a stub's memory, on the real kernel. */
class StubMemoryIT {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long ELSEWHERE = 0x2000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final int PAGE_BYTES = AddressSpace.PAGE_SIZE;

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("memory").minIdle(0).maxStubs(4).build());
  private final Stub stub = pool.acquire();
  private final StubMemory memory = stub.memory();

  @AfterEach
  void close() {
    stub.close();
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
    assertThat(CopyBuffers.free()).isEqualTo(CopyBuffers.made());
  }

  private static MemorySegment segment(Arena arena, byte[] bytes, boolean onHeap) {
    return onHeap
        ? MemorySegment.ofArray(bytes.clone())
        : arena
            .allocate(Math.max(1, bytes.length))
            .asSlice(0, bytes.length)
            .copyFrom(MemorySegment.ofArray(bytes));
  }

  private static byte[] random(Random random, int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return bytes;
  }

  private static MemoryFaultException fault(ThrowingCallable call) {
    return catchThrowableOfType(MemoryFaultException.class, call);
  }

  // ---- many ranges ----

  @Test
  void shouldScatterAndGather() {
    Random random = new Random(11);
    int size = 700 * PAGE_BYTES;
    byte[] model = random(random, size);
    memory.mapAnonymous(SOMEWHERE, size, Protection.READ_WRITE);
    memory.write(SOMEWHERE, model);
    for (int round = 0; round < 12; round++) {
      // Up to three system calls for their number; and, in the last rounds, for their size.
      int count = new int[] {0, 1, 2, 1023, 1024, 1025, 2048, 3000, 30, 30, 30, 30}[round];
      int most = round < 8 ? 300 : 400_000;
      List<MemoryRange> ranges = new ArrayList<>();
      int total = 0;
      int at = 0;
      for (int i = 0; i < count; i++) {
        int length = random.nextInt(4) == 0 ? 0 : random.nextInt(most);
        // They do not overlap, so that it does not matter in which order they are written.
        at = round < 8 ? at + random.nextInt(500) : (at + length + 1) % size;
        length = Math.min(length, size - at);
        ranges.add(new MemoryRange(SOMEWHERE + at, length));
        total += length;
        at += round < 8 ? length : 0;
      }
      boolean onHeap = random.nextBoolean();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment all = segment(arena, new byte[total], onHeap);
        memory.read(ranges, all);
        int done = 0;
        for (MemoryRange range : ranges) {
          int from = (int) (range.address() - SOMEWHERE);
          assertThat(all.asSlice(done, range.size()).toArray(JAVA_BYTE))
              .as("round %d, on heap %s", round, onHeap)
              .isEqualTo(Arrays.copyOfRange(model, from, from + (int) range.size()));
          done += (int) range.size();
        }
        assertThat(memory.readSome(ranges, all)).isEqualTo(total);

        MemorySegment other = segment(arena, random(random, total), onHeap);
        memory.write(ranges, other);
        done = 0;
        for (MemoryRange range : ranges) {
          MemorySegment.copy(
              other,
              JAVA_BYTE,
              done,
              model,
              (int) (range.address() - SOMEWHERE),
              (int) range.size());
          done += (int) range.size();
        }
        assertThat(memory.writeSome(ranges, other)).isEqualTo(total);
      }
      assertThat(Arrays.mismatch(memory.read(SOMEWHERE, size), model))
          .as("round %d", round)
          .isEqualTo(-1);
    }
  }

  @Test
  void shouldRefuseRangesThatDoNotFit() {
    memory.mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    MemorySegment eight = MemorySegment.ofArray(new byte[8]);
    List<List<MemoryRange>> wrong =
        List.of(
            List.of(),
            List.of(new MemoryRange(SOMEWHERE, 7)),
            List.of(new MemoryRange(SOMEWHERE, 8), new MemoryRange(SOMEWHERE, 1)),
            List.of(
                new MemoryRange(SOMEWHERE, Long.MAX_VALUE), new MemoryRange(0, Long.MAX_VALUE)));
    for (List<MemoryRange> ranges : wrong) {
      assertThatThrownBy(() -> memory.read(ranges, eight))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the ranges must have as many bytes together as the segment, which has 8");
      assertThatThrownBy(() -> memory.writeSome(ranges, eight))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new MemoryRange(SOMEWHERE, -1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("size is -1, must not be negative");
    assertThatThrownBy(() -> memory.readSome(SOMEWHERE, eight.asReadOnly()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void shouldWriteNothingIfARangeMeetsTheImage() {
    AddressSpace space = pool.addressSpace();
    memory.mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    MemorySegment bytes = MemorySegment.ofArray(new byte[] {1, 2, 3, 4});
    for (long address : new long[] {space.imageStart() - 1, space.imageEnd() - 1}) {
      List<MemoryRange> ranges =
          List.of(new MemoryRange(SOMEWHERE, 2), new MemoryRange(address, 2));
      assertThatThrownBy(() -> memory.write(ranges, bytes))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the stub image");
      assertThatThrownBy(() -> memory.writeSome(ranges, bytes))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(memory.read(SOMEWHERE, 4)).containsOnly(0);
  }

  // ---- copies that fault ----

  /** Against a model of what every byte is, and what every page allows. */
  @Test
  void shouldCopyUpToTheFirstByteThatItMayNot() {
    long seed = new Random().nextLong();
    int pages = 300;
    for (int round = 0; round < 40; round++) {
      Random random = new Random(seed + round);
      byte[] model = random(random, pages * PAGE_BYTES);
      Protection[] protections = new Protection[pages];
      memory.mapAnonymous(SOMEWHERE, pages * PAGE, Protection.READ_WRITE);
      memory.write(SOMEWHERE, model);
      Arrays.fill(protections, Protection.READ_WRITE);
      for (int hole = random.nextInt(8); hole > 0; hole--) {
        int page = random.nextInt(pages);
        protections[page] = Protection.of(random.nextInt(8));
        memory.protect(SOMEWHERE + page * PAGE, PAGE, protections[page]);
      }
      for (int i = 0; i < 20; i++) {
        String name = "seed " + (seed + round) + ", copy " + i;
        List<MemoryRange> ranges = new ArrayList<>();
        int total = 0;
        for (int left = 1 + random.nextInt(4); left > 0; left--) {
          int at = random.nextInt(model.length);
          int size = random.nextInt(Math.min(model.length - at, left == 1 ? 1 << 20 : 9_000) + 1);
          ranges.add(new MemoryRange(SOMEWHERE + at, size));
          total += size;
        }
        try (Arena arena = Arena.ofConfined()) {
          boolean onHeap = random.nextBoolean();
          MemorySegment local = segment(arena, random(random, total), onHeap);
          if (random.nextBoolean()) {
            checkRead(name, model, protections, ranges, local);
          } else {
            checkWrite(name, model, protections, ranges, local);
          }
        }
      }
      memory.protect(SOMEWHERE, pages * PAGE, Protection.READ);
      assertThat(Arrays.mismatch(memory.read(SOMEWHERE, model.length), model)).isEqualTo(-1);
    }
  }

  private void checkRead(
      String name,
      byte[] model,
      Protection[] protections,
      List<MemoryRange> ranges,
      MemorySegment local) {
    byte[] expected = local.toArray(JAVA_BYTE);
    int good = 0;
    long bad = -1;
    for (MemoryRange range : ranges) {
      for (int i = 0; i < range.size() && bad < 0; i++) {
        int at = (int) (range.address() - SOMEWHERE) + i;
        if ((protections[at / PAGE_BYTES].bits() & Abi.PROT_READ) == 0) {
          bad = range.address() + i;
        } else {
          expected[good++] = model[at];
        }
      }
    }
    assertThat(memory.readSome(ranges, local)).as(name).isEqualTo(good);
    assertThat(Arrays.mismatch(local.toArray(JAVA_BYTE), expected)).as(name).isEqualTo(-1);
    if (bad < 0) {
      memory.read(ranges, local);
    } else {
      MemoryFaultException fault = fault(() -> memory.read(ranges, local));
      assertThat(fault.address()).as(name).isEqualTo(bad);
      assertThat(fault.copied()).as(name).isEqualTo(good);
    }
  }

  private void checkWrite(
      String name,
      byte[] model,
      Protection[] protections,
      List<MemoryRange> ranges,
      MemorySegment local) {
    int good = 0;
    long bad = -1;
    for (MemoryRange range : ranges) {
      for (int i = 0; i < range.size() && bad < 0; i++) {
        int at = (int) (range.address() - SOMEWHERE) + i;
        if ((protections[at / PAGE_BYTES].bits() & Abi.PROT_WRITE) == 0) {
          bad = range.address() + i;
        } else {
          model[at] = local.get(JAVA_BYTE, good++);
        }
      }
    }
    assertThat(memory.writeSome(ranges, local)).as(name).isEqualTo(good);
    if (bad < 0) {
      memory.write(ranges, local);
    } else {
      MemoryFaultException fault = fault(() -> memory.write(ranges, local));
      assertThat(fault.address()).as(name).isEqualTo(bad);
      assertThat(fault.copied()).as(name).isEqualTo(good);
    }
  }

  @Test
  void shouldTellWhereItFaulted() {
    memory.mapAnonymous(SOMEWHERE, 2 * PAGE, Protection.READ_WRITE);
    MemoryFaultException fault = fault(() -> memory.read(SOMEWHERE + 100, 3 * PAGE_BYTES));
    assertThat(fault)
        .hasMessage(
            "process_vm_readv: EFAULT while copying memory of stub "
                + stub.pid()
                + " at 0x10002000");
    assertThat(fault.errno()).isEqualTo(Errno.EFAULT);
    assertThat(fault.call()).isEqualTo("process_vm_readv");
    assertThat(fault.address()).isEqualTo(SOMEWHERE + 2 * PAGE);
    assertThat(fault.copied()).isEqualTo(2 * PAGE - 100);
    // Not at the start of a page, if the copy begins inside a bad one.
    assertThat(fault(() -> memory.write(SOMEWHERE + 2 * PAGE + 5, new byte[9])).address())
        .isEqualTo(SOMEWHERE + 2 * PAGE + 5);
    MemorySegment bytes = MemorySegment.ofArray(new byte[16]);
    for (long nowhere :
        new long[] {0, 8, -16, -PAGE, Long.MIN_VALUE, Long.MAX_VALUE - 20, 0x7fff_ffff_eff8L}) {
      assertThat(memory.readSome(nowhere, bytes)).as("%x", nowhere).isZero();
      assertThat(memory.writeSome(nowhere, bytes)).as("%x", nowhere).isZero();
      assertThat(fault(() -> memory.read(nowhere, 16)).address()).isEqualTo(nowhere);
    }
    assertThat(memory.readSome(0, bytes.asSlice(0, 0))).isZero();
  }

  @Test
  void shouldFaultBehindTheEndOfAFile(@TempDir Path folder) throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[PAGE_BYTES + 1]);
    try (MemoryFile file = pool.memoryFile(2 * PAGE);
        HostFile host = pool.mappable(path)) {
      memory.map(SOMEWHERE, file, 0, 4 * PAGE, Protection.READ_WRITE, Sharing.SHARED);
      memory.map(ELSEWHERE, host, 0, 4 * PAGE, Protection.READ, Sharing.PRIVATE);
      for (long address : new long[] {SOMEWHERE, ELSEWHERE}) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[3 * PAGE_BYTES]);
        assertThat(memory.readSome(address + 1, bytes)).isEqualTo(2 * PAGE - 1);
        assertThat(fault(() -> memory.read(address + 1, bytes)).address())
            .isEqualTo(address + 2 * PAGE);
      }
    }
  }

  @Test
  void shouldRefuseAllAfterTheLease() {
    memory.mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    stub.close();
    MemorySegment nothing = MemorySegment.ofArray(new byte[0]);
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> memory.readSome(SOMEWHERE, nothing),
            () -> memory.writeSome(SOMEWHERE, nothing),
            () -> memory.readUntilNul(SOMEWHERE, 10),
            () -> memory.readString(SOMEWHERE, 10),
            () -> memory.getInt(SOMEWHERE),
            () -> memory.getAndAddLong(SOMEWHERE, 1))) {
      assertThatThrownBy(call)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this lease of stub " + stub.pid() + " is closed");
    }
  }

  @Test
  void shouldSayThatTheStubIsDead() {
    try (MemoryFile file = pool.memoryFile(PAGE)) {
      memory.map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.SHARED);
      stub.kill();
      Proc.await("its end", () -> stub.state() == StubState.DEAD);
      MemorySegment byteOf = MemorySegment.ofArray(new byte[1]);
      for (ThrowingCallable call :
          List.<ThrowingCallable>of(
              () -> memory.readSome(SOMEWHERE, byteOf),
              () -> memory.writeSome(SOMEWHERE, byteOf),
              () -> memory.readUntilNul(SOMEWHERE, 10),
              () -> memory.getInt(SOMEWHERE),
              () -> memory.putLong(SOMEWHERE, 1))) {
        assertThatThrownBy(call)
            .isInstanceOf(StubDiedException.class)
            .hasMessageContaining("killed by SIGKILL");
      }
    }
  }

  /** More at once than there are buffers; each must find what it wrote itself, on any carrier. */
  @Test
  void shouldCopyOnManyVirtualThreads() throws InterruptedException {
    int threads = 10 * CopyBuffers.MOST;
    int size = 2 * PAGE_BYTES;
    memory.mapAnonymous(SOMEWHERE, (long) threads * size, Protection.READ_WRITE);
    ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      Random random = new Random(i);
      long address = SOMEWHERE + (long) i * size;
      Runnable work =
          () -> {
            try {
              for (int round = 0; round < 50; round++) {
                byte[] bytes = random(random, 1 + random.nextInt(size));
                memory.write(address, bytes);
                Thread.yield();
                assertThat(memory.read(address, bytes.length)).isEqualTo(bytes);
              }
            } catch (Throwable e) {
              failures.add(e);
            }
          };
      all.add(i % 10 == 0 ? Thread.ofPlatform().start(work) : Thread.ofVirtual().start(work));
    }
    for (Thread thread : all) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    assertThat(CopyBuffers.free())
        .isEqualTo(CopyBuffers.made())
        .isLessThanOrEqualTo(CopyBuffers.MOST);
  }

  @Test
  void shouldAllocateItsOwnWhenAllBuffersAreTaken() {
    memory.mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    List<CopyBuffers.Buffer> taken = new ArrayList<>();
    for (int i = 0; i < CopyBuffers.MOST + 2; i++) {
      taken.add(CopyBuffers.take(1, 1));
    }
    assertThat(taken.stream().map(buffer -> buffer.bytes.address()).distinct())
        .hasSameSizeAs(taken);
    assertThat(CopyBuffers.free()).isZero();
    memory.write(SOMEWHERE, new byte[] {1, 2, 0});
    assertThat(memory.read(SOMEWHERE, 2)).containsExactly(1, 2);
    assertThat(memory.readUntilNul(SOMEWHERE, 9)).containsExactly(1, 2);
    byte[] large = random(new Random(3), 3 * CopyBuffers.BYTES + 5);
    memory.mapAnonymous(ELSEWHERE, 64 * PAGE, Protection.READ_WRITE);
    memory.write(ELSEWHERE, large);
    assertThat(memory.read(ELSEWHERE, large.length)).isEqualTo(large);
    MemorySegment both = MemorySegment.ofArray(new byte[4]);
    memory.read(List.of(new MemoryRange(SOMEWHERE, 2), new MemoryRange(ELSEWHERE, 2)), both);
    assertThat(both.toArray(JAVA_BYTE)).containsExactly(1, 2, large[0], large[1]);
    taken.forEach(CopyBuffers.Buffer::close);
    assertThat(CopyBuffers.free()).isEqualTo(CopyBuffers.MOST);
  }

  // ---- strings ----

  private void string(long address, byte[] bytes) {
    memory.write(address, Arrays.copyOf(bytes, bytes.length + 1));
  }

  @Test
  void shouldReadStrings() {
    memory.mapAnonymous(SOMEWHERE, 5 * PAGE, Protection.READ_WRITE);
    for (String text : List.of("", "a", "/bin/ls", "naïve ☃ 🐧", "x".repeat(3 * PAGE_BYTES))) {
      byte[] bytes = text.getBytes(UTF_8);
      // The last with its NUL in the last byte before an unmapped page.
      for (long address : new long[] {SOMEWHERE, SOMEWHERE + 5 * PAGE - bytes.length - 1}) {
        string(address, bytes);
        assertThat(memory.readString(address, bytes.length + 1)).isEqualTo(text);
        assertThat(memory.readString(address, Integer.MAX_VALUE)).isEqualTo(text);
        assertThat(memory.readUntilNul(address, bytes.length + 1)).isEqualTo(bytes);
        if (bytes.length > 0) {
          SystemCallException e =
              catchThrowableOfType(
                  SystemCallException.class, () -> memory.readString(address, bytes.length));
          assertThat(e.errno()).isEqualTo(Errno.ENAMETOOLONG);
          assertThat(e)
              .hasMessage(
                  "process_vm_readv: ENAMETOOLONG while reading a string of stub %d at 0x%x; there is no NUL among its first %d bytes"
                      .formatted(stub.pid(), address, bytes.length));
        }
      }
    }
  }

  @Test
  void shouldReadBytesThatAreNoUtf8() {
    memory.mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
    byte[] name = "caf\u00e9 \u00ff".getBytes(ISO_8859_1);
    string(SOMEWHERE, name);
    assertThat(memory.readUntilNul(SOMEWHERE, 100)).isEqualTo(name);
    assertThat(memory.readString(SOMEWHERE, 100)).isEqualTo("caf\ufffd \ufffd");
  }

  @Test
  void shouldFaultWhereAStringReachesIntoNothing() {
    memory.mapAnonymous(SOMEWHERE, 3 * PAGE, Protection.READ_WRITE);
    byte[] bytes = new byte[3 * PAGE_BYTES];
    Arrays.fill(bytes, (byte) 'x');
    memory.write(SOMEWHERE, bytes);
    MemoryFaultException fault = fault(() -> memory.readString(SOMEWHERE + 7, Integer.MAX_VALUE));
    assertThat(fault.address()).isEqualTo(SOMEWHERE + 3 * PAGE);
    assertThat(fault.copied()).isEqualTo(3 * PAGE - 7);
    assertThat(fault(() -> memory.readUntilNul(0, 1)).address()).isZero();
    // Too long before it comes to the fault.
    assertThatThrownBy(() -> memory.readUntilNul(SOMEWHERE, bytes.length))
        .isInstanceOf(SystemCallException.class)
        .isNotInstanceOf(MemoryFaultException.class);
    for (int most : new int[] {0, -1}) {
      assertThatThrownBy(() -> memory.readUntilNul(SOMEWHERE, most))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("mostBytes is " + most + ", must be positive");
    }
  }

  // ---- shared words ----

  @Test
  void shouldChangeSharedWordsAtomically() throws InterruptedException {
    try (MemoryFile file = pool.memoryFile(4 * PAGE)) {
      memory.map(SOMEWHERE, file, 2 * PAGE, 2 * PAGE, Protection.READ_WRITE, Sharing.SHARED);
      memory.protect(SOMEWHERE, PAGE, Protection.WRITE); // which leaves two ranges of the file
      VarHandle ints = JAVA_INT.varHandle();
      int threads = 4;
      int rounds = 20_000;
      long at = SOMEWHERE + PAGE + 8;
      List<Thread> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int mine = i;
        all.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      for (int n = 0; n < rounds; n++) {
                        if (mine == 0) {
                          int before = (int) ints.getAndAdd(file.segment(), 3 * PAGE + 8, 1);
                          assertThat(before).isNotNegative();
                        } else {
                          memory.getAndAddInt(at, 1);
                        }
                        long seen = memory.getLong(at + 8);
                        long witness;
                        while ((witness = memory.compareAndExchangeLong(at + 8, seen, seen + 3))
                            != seen) {
                          seen = witness;
                        }
                      }
                    }));
      }
      for (Thread thread : all) {
        thread.join();
      }
      assertThat(memory.getInt(at)).isEqualTo(threads * rounds);
      assertThat(memory.getLong(at + 8)).isEqualTo(3L * threads * rounds);
      assertThat(file.segment().get(JAVA_INT, 3 * PAGE + 8)).isEqualTo(threads * rounds);
      assertThat(memory.read(at, 4))
          .isEqualTo(file.segment().asSlice(3 * PAGE + 8, 4).toArray(JAVA_BYTE));
    }
  }

  @Test
  void shouldDoWithWordsWhatItSays() {
    try (MemoryFile file = pool.memoryFile(PAGE)) {
      memory.map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.SHARED);
      MemorySegment words = file.segment();
      memory.putInt(SOMEWHERE + 4, 5);
      assertThat(words.get(JAVA_INT, 4)).isEqualTo(5);
      assertThat(memory.getInt(SOMEWHERE + 4)).isEqualTo(5);
      assertThat(memory.compareAndExchangeInt(SOMEWHERE + 4, 6, 7)).isEqualTo(5);
      assertThat(memory.compareAndExchangeInt(SOMEWHERE + 4, 5, -7)).isEqualTo(5);
      assertThat(memory.getAndAddInt(SOMEWHERE + 4, Integer.MIN_VALUE)).isEqualTo(-7);
      assertThat(memory.getAndSetInt(SOMEWHERE + 4, 9)).isEqualTo(Integer.MAX_VALUE - 6);
      assertThat(words.get(JAVA_INT, 4)).isEqualTo(9);
      assertThat(words.get(JAVA_INT, 0)).isZero();
      assertThat(words.get(JAVA_INT, 8)).isZero();

      long last = PAGE - 8;
      memory.putLong(SOMEWHERE + last, 1L << 40);
      assertThat(words.get(JAVA_LONG, last)).isEqualTo(1L << 40);
      assertThat(memory.getLong(SOMEWHERE + last)).isEqualTo(1L << 40);
      assertThat(memory.compareAndExchangeLong(SOMEWHERE + last, 0, 1)).isEqualTo(1L << 40);
      assertThat(memory.compareAndExchangeLong(SOMEWHERE + last, 1L << 40, -2)).isEqualTo(1L << 40);
      assertThat(memory.getAndAddLong(SOMEWHERE + last, Long.MIN_VALUE)).isEqualTo(-2);
      assertThat(memory.getAndSetLong(SOMEWHERE + last, 9)).isEqualTo(Long.MAX_VALUE - 1);
      assertThat(words.get(JAVA_LONG, last)).isEqualTo(9);

      assertThatThrownBy(() -> memory.getInt(SOMEWHERE + 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("address 0x10000002 must be a multiple of 4");
      assertThatThrownBy(() -> memory.putLong(SOMEWHERE + 4, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("address 0x10000004 must be a multiple of 8");
    }
  }

  @Test
  void shouldDoWithWordsOnlyWhatTheStubMay() {
    try (MemoryFile file = pool.memoryFile(PAGE)) {
      for (Protection protection : Protection.values()) {
        memory.map(SOMEWHERE, file, 0, 2 * PAGE, protection, Sharing.SHARED);
        int before = file.segment().get(JAVA_INT, 0);
        if (protection == Protection.NONE) {
          assertThat(fault(() -> memory.getInt(SOMEWHERE))).isNotNull();
        } else {
          assertThat(memory.getInt(SOMEWHERE)).isEqualTo(before);
        }
        ThrowingCallable add = () -> memory.getAndAddInt(SOMEWHERE, 1);
        if ((protection.bits() & Abi.PROT_WRITE) == 0) {
          assertThat(fault(add))
              .hasMessage(
                  "getAndAddInt: EFAULT while accessing stub "
                      + stub.pid()
                      + " at 0x10000000 by getAndAddInt")
              .extracting(MemoryFaultException::address)
              .isEqualTo(SOMEWHERE);
          assertThat(file.segment().get(JAVA_INT, 0)).isEqualTo(before);
        } else {
          assertThat(memory.getAndAddInt(SOMEWHERE, 1)).isEqualTo(before);
          assertThat(file.segment().get(JAVA_INT, 0)).isEqualTo(before + 1);
        }
        // Behind the end of the file, and where nothing is.
        assertThat(fault(() -> memory.getLong(SOMEWHERE + PAGE))).isNotNull();
        assertThat(fault(() -> memory.putInt(SOMEWHERE + 2 * PAGE, 1))).isNotNull();
      }
      memory.unmap(SOMEWHERE, PAGE);
      assertThat(fault(() -> memory.getInt(SOMEWHERE))).isNotNull();
    }
  }

  @Test
  void shouldRefuseWordsThatItCannotReach(@TempDir Path folder) throws IOException {
    Path path = Files.write(folder.resolve("file"), new byte[PAGE_BYTES]);
    try (MemoryFile file = pool.memoryFile(PAGE);
        HostFile host = pool.mappable(path)) {
      memory.map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.SHARED);
      memory.putInt(SOMEWHERE, 1);
      memory.map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.PRIVATE);
      refused("a memory file mapped PRIVATE");
      assertThat(file.segment().get(JAVA_INT, 0)).isEqualTo(1);
      memory.mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
      refused("anonymous memory");
      memory.map(SOMEWHERE, host, 0, PAGE, Protection.READ_WRITE, Sharing.PRIVATE);
      refused("of a file that is no MemoryFile");
      long flags = Abi.MAP_SHARED | Abi.MAP_ANONYMOUS | Abi.MAP_FIXED;
      assertThat(stub.syscall(Abi.SYS_mmap, SOMEWHERE, PAGE, 3, flags, -1, 0)).isEqualTo(SOMEWHERE);
      refused("anonymous memory");
    }
  }

  private void refused(String what) {
    String message =
        "memory of stub "
            + stub.pid()
            + " at 0x10000000 is "
            + what
            + ", which cannot be accessed atomically from outside; map a MemoryFile SHARED there,"
            + " or use read and write while nothing runs in the stub";
    assertThatThrownBy(() -> memory.getInt(SOMEWHERE))
        .isInstanceOf(NotSharedMemoryException.class)
        .hasMessage(message);
    NotSharedMemoryException e =
        catchThrowableOfType(
            NotSharedMemoryException.class, () -> memory.getAndSetLong(SOMEWHERE, 7));
    assertThat(e).hasMessage(message);
    assertThat(e.address()).isEqualTo(SOMEWHERE);
  }

  @Test
  void shouldSayThatTheFileIsClosed() {
    MemoryFile file = pool.memoryFile(PAGE);
    memory.map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.SHARED);
    file.close();
    assertThatThrownBy(() -> memory.getInt(SOMEWHERE))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "memory file of 4096 bytes is closed, so this JVM no longer has the memory of stub "
                + stub.pid()
                + " at 0x10000000 by getInt");
    // The stub still does.
    assertThat(memory.read(SOMEWHERE, 4)).containsOnly(0);
  }

  @Test
  void shouldShareWordsWithCopies() {
    try (MemoryFile file = pool.memoryFile(PAGE)) {
      memory.map(SOMEWHERE, file, 0, PAGE, Protection.READ_WRITE, Sharing.SHARED);
      try (Stub child = stub.spawnChild()) {
        assertThat(child.memory().getAndAddInt(SOMEWHERE, 5)).isZero();
        memory.unmap(SOMEWHERE, PAGE);
        assertThat(child.memory().getAndAddInt(SOMEWHERE, 5)).isEqualTo(5);
        assertThat(fault(() -> memory.getInt(SOMEWHERE))).isNotNull();
      }
    }
  }

  // ---- options ----

  /** Kilobytes of a mapping that are there. */
  private long resident(long address) throws IOException {
    List<String> lines = Files.readAllLines(Path.of("/proc/" + stub.pid() + "/smaps"));
    boolean found = false;
    for (String line : lines) {
      if (line.startsWith(Long.toHexString(address) + "-")) {
        found = true;
      } else if (found && line.startsWith("Rss:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new AssertionError("no mapping at " + Long.toHexString(address) + " in " + lines);
  }

  @Test
  void shouldPopulate() throws IOException {
    long size = 50 * PAGE;
    memory.mapAnonymous(SOMEWHERE, size, Protection.READ_WRITE);
    assertThat(resident(SOMEWHERE)).isZero();
    memory.mapAnonymous(SOMEWHERE, size, Protection.READ_WRITE, MapOption.POPULATE);
    assertThat(resident(SOMEWHERE)).isEqualTo(size / 1024);
    memory.mapAnonymous(SOMEWHERE, size, Protection.NONE, MapOption.POPULATE);
    assertThat(resident(SOMEWHERE)).isZero();
    try (MemoryFile file = pool.memoryFile(size)) {
      memory.map(ELSEWHERE, file, 0, size, Protection.READ_WRITE, Sharing.SHARED);
      assertThat(resident(ELSEWHERE)).isZero();
      memory.map(
          ELSEWHERE,
          file,
          0,
          2 * size,
          Protection.READ_WRITE,
          Sharing.SHARED,
          MapOption.POPULATE,
          MapOption.POPULATE);
      assertThat(resident(ELSEWHERE)).isEqualTo(size / 1024);
    }
  }
}
