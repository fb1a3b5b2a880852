package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.IoVector;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import dev.stubpool.support.Internals;
import dev.stubpool.testing.Proc;
import dev.stubpool.thread.Request;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/**
 * Nothing of the JVM's is left in a stub: not in its memory, its registers, or what it inherits.
 */
class IdleStubIT {
  private static final StubPoolOptions OPTIONS =
      StubPoolOptions.builder().name("idle").minIdle(0).build();

  /** In the heap, in libc's memory and on a thread's stack. */
  private static final byte[] SECRET = new byte[32];

  static {
    ThreadLocalRandom.current().nextBytes(SECRET);
  }

  /** What a stub has mapped that is neither the image nor [vsyscall]. */
  static List<Mapping> mappingsBesidesTheImage(StubPool pool, int pid) {
    AddressSpace space = pool.addressSpace();
    List<Mapping> others = new ArrayList<>();
    try {
      for (Mapping mapping : ProcMaps.of(pid)) {
        boolean image = mapping.start() >= space.imageStart() && mapping.end() <= space.imageEnd();
        if (!image && !mapping.name().equals("[vsyscall]")) {
          others.add(mapping);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return others;
  }

  @Test
  void shouldMapTheImageAlone() throws IOException {
    try (StubPool pool = StubPool.open(OPTIONS);
        Stub stub = pool.acquire()) {
      int source = pool.sourcePid();
      assertThat(mappingsBesidesTheImage(pool, stub.pid())).isEmpty();
      assertThat(mappingsBesidesTheImage(pool, source)).isEmpty();
      assertThat(ProcMaps.of(stub.pid()).stream().filter(m -> !m.name().equals("[vsyscall]")))
          .extracting(m -> m.name() + " " + m.permissions() + " " + m.size())
          .containsExactly("/memfd:stubpool-image (deleted) r-xs " + Abi.IMAGE_STUB_SIZE);
      // The source also has the page that pids arrive in; its children must not.
      assertThat(ProcMaps.of(source)).hasSize(ProcMaps.of(stub.pid()).size() + 1);
      assertThat(Proc.status(stub.pid(), "RssAnon")).isEqualTo("0 kB");
    }
  }

  @Test
  void shouldHoldNoSecretInMemory() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment planted = arena.allocate(SECRET.length).copyFrom(MemorySegment.ofArray(SECRET));
      try (StubPool pool = StubPool.open(OPTIONS);
          Stub stub = pool.acquire()) {
        stub.syscall(Abi.SYS_getpid);
        // The search finds it where it is, so it would find it in a stub.
        assertThat(find(ProcessHandle.current().pid(), planted.address() & -4096, 8192)).isTrue();
        for (int pid : new int[] {stub.pid(), pool.sourcePid()}) {
          for (Mapping mapping : ProcMaps.of(pid)) {
            if (!mapping.name().equals("[vsyscall]")) {
              assertThat(find(pid, mapping.start(), (int) mapping.size())).isFalse();
            }
          }
        }
      }
    }
  }

  private static boolean find(long pid, long address, int size) throws IOException {
    byte[] bytes = new byte[size];
    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
      memory.seek(address);
      memory.readFully(bytes);
    }
    for (int i = 0; i + SECRET.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + SECRET.length, SECRET, 0, SECRET.length)) {
        return true;
      }
    }
    return false;
  }

  @Test
  void shouldHoldConstantsInRegisters() {
    StubImage image = StubImage.get();
    try (StubPool pool = StubPool.open(OPTIONS);
        Stub stub = pool.acquire();
        Arena arena = Arena.ofShared()) {
      MemorySegment registers = arena.allocate(Abi.REGS_SIZE, 8);
      MemorySegment vectors = arena.allocate(64 * 1024, 8);
      MemorySegment debug = arena.allocate(8, 8);
      for (boolean used : new boolean[] {false, true}) {
        if (used) {
          stub.syscall(Abi.SYS_getpid);
          stub.memory().mapAnonymous(0x1000_0000L, 4096, Protection.READ);
        }
        for (int pid : new int[] {stub.pid(), pool.sourcePid()}) {
          long vectorSize = onTracer(pool, () -> read(pid, registers, vectors, debug));
          for (long at = 0; at < Abi.REGS_SIZE; at += 8) {
            long value = registers.get(JAVA_LONG, at);
            boolean small = value >= -4096 && value < 0x1_0000_0000L;
            boolean images = value >= image.base() && value < image.end();
            // Unmapping the space around the image takes lengths up to the end of user space.
            boolean length =
                value == pool.addressSpace().highest() - image.end()
                    || value == image.base() - pool.addressSpace().lowest();
            assertThat(small || images || length)
                .as("register word %d is 0x%x", at / 8, value)
                .isTrue();
          }
          assertThat(registers.get(JAVA_LONG, Abi.REGS_rsp)).isZero();
          assertInitialVectors(vectors.asSlice(0, vectorSize));
          assertThat(debug.get(JAVA_LONG, 0) & 0xff).as("DR7").isZero();
        }
      }
    }
  }

  /** fcw, mxcsr, header and PKRU as in a new program; everything else zero. */
  static void assertInitialVectors(MemorySegment state) {
    assertThat(state.get(JAVA_INT, 24)).as("mxcsr").isEqualTo(0x1f80);
    assertThat(state.get(JAVA_INT, 0) & 0xffff).as("fcw").isEqualTo(0x37f);
    long features = state.get(JAVA_LONG, 464);
    int pkru = 0;
    for (long at = 32; at < state.byteSize(); at++) {
      // sw_reserved and the header tell of the CPU, not of the process.
      if (at >= 464 && at < 576) {
        continue;
      }
      byte value = state.get(JAVA_BYTE, at);
      if (value != 0) {
        pkru++;
      }
    }
    boolean keys = (features & 1 << 9) != 0;
    assertThat(pkru).as("nonzero bytes").isEqualTo(keys ? 4 : 0); // 0x55555554
  }

  private static long read(
      int pid, MemorySegment registers, MemorySegment vectors, MemorySegment debug) {
    try (Arena arena = Arena.ofConfined()) {
      assertThat(PtraceCalls.getRegisters(pid, registers.address())).isZero();
      MemorySegment vector = arena.allocate(Abi.IOVEC_SIZE, 8);
      IoVector.set(vector, 0, vectors.address(), vectors.byteSize());
      assertThat(PtraceCalls.getRegisterSet(pid, Abi.NT_X86_XSTATE, vector.address())).isZero();
      assertThat(PtraceCalls.peekUser(pid, Abi.USER_DEBUGREG + 56, debug.address())).isZero();
      return IoVector.length(vector, 0);
    }
  }

  /** Does something on the pool's tracer thread, whose alone ptrace(2) is. */
  static long onTracer(StubPool pool, LongSupplier work) {
    return new Request() {
      @Override
      protected long perform() {
        return work.getAsLong();
      }
    }.submitAndWait(Internals.tracerThread(pool), Duration.ofSeconds(10));
  }

  @Test
  void shouldInheritNothingElseThatMatters() {
    try (StubPool pool = StubPool.open(OPTIONS);
        Stub stub = pool.acquire()) {
      for (int pid : new int[] {stub.pid(), pool.sourcePid()}) {
        assertThat(Proc.status(pid, "Name")).isEqualTo("stubpool-stub");
        assertThat(Proc.status(pid, "CapEff")).matches("0+");
        assertThat(Proc.status(pid, "CapPrm")).matches("0+");
        assertThat(Proc.status(pid, "CapInh")).matches("0+");
        assertThat(Proc.status(pid, "CapAmb")).matches("0+");
        assertThat(Proc.status(pid, "NoNewPrivs")).isEqualTo("1");
        assertThat(Proc.status(pid, "Seccomp")).isEqualTo("2");
        assertThat(Proc.status(pid, "Threads")).isEqualTo("1");
        assertThat(Proc.status(pid, "SigIgn")).matches("0+");
        // SEGV, BUS, ILL, FPE have the image's fault entry; they, TRAP, SYS and URG are not
        // blocked.
        assertThat(Proc.status(pid, "SigCgt")).isEqualTo("00000000000004c8");
        assertThat(Proc.status(pid, "SigBlk")).isEqualTo("ffffffffbfbbfa27");
        assertThat(Proc.status(pid, "PPid"))
            .isEqualTo(Long.toString(ProcessHandle.current().pid()));
        assertThat(Proc.read(Path.of("/proc/" + pid + "/oom_score_adj"))).isEqualTo("1000");
        assertThat(Proc.read(Path.of("/proc/" + pid + "/limits")))
            .containsPattern("Max core file size +0 +0 +bytes");
      }
    }
  }

  @Test
  void shouldProtectTheImage() {
    StubImage image = StubImage.get();
    try (StubPool pool = StubPool.open(OPTIONS);
        Stub stub = pool.acquire()) {
      for (long address :
          new long[] {image.base(), image.base() + Abi.IMAGE_STUB_SIZE, image.end() - 4096}) {
        assertThatThrownBy(() -> stub.syscall(Abi.SYS_munmap, address, 4096))
            .isInstanceOf(DeniedSystemCallException.class);
      }
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
      assertThat(image.address(ImageSymbols.STUB_CALL)).isEqualTo(image.base());
    }
  }
}
