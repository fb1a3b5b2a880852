package dev.stubpool;

import static dev.stubpool.IdleStubIT.mappingsBesidesTheImage;
import static dev.stubpool.IdleStubIT.onTracer;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.abi.SystemCalls;
import dev.stubpool.forge.TestHooks;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.IoVector;
import dev.stubpool.nativestubs.calls.Kernel;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.calls.WaitCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.pool.Pool;
import dev.stubpool.pool.StubProcess;
import dev.stubpool.pool.Supply;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.support.Internals;
import dev.stubpool.testing.Logs;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A stub that was used, and worse, is clean when the next holder gets it, or is not handed on at
 * all. Every test first shows that the dirt is there.
 */
class RecycledStubIT {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final String STEP = "dirtying a stub";
  private static final int SIGUSR1 = 10;
  private static final int SIGCONT = 18;
  private static final int SIGTSTP = 20;

  /** Longer than {@link Proc#await}: what the watchdog has to end fails the test. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final StubPoolOptions.Builder OPTIONS =
      StubPoolOptions.builder().name("recycled").minIdle(0).maxStubs(8);

  private final StubPool pool =
      Pool.open(OPTIONS.affinity(Affinity.ONE_CPU).build(), new TestHooks(true, true, PATIENCE));

  @AfterEach
  void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  // ---- memory ----

  @Test
  void shouldUnmapAllButTheImage() throws IOException {
    AddressSpace space = pool.addressSpace();
    try (Stub stub = usedStub();
        MemoryFile file = pool.memoryFile(4 * PAGE);
        HostFile java = pool.mappable(Path.of("/proc/self/exe"))) {
      StubMemory memory = stub.memory();
      memory.mapAnonymous(space.lowest(), PAGE, Protection.READ_WRITE);
      memory.mapAnonymous(space.imageStart() - PAGE, PAGE, Protection.READ_WRITE_EXECUTE);
      memory.mapAnonymous(space.imageEnd(), PAGE, Protection.NONE);
      memory.mapAnonymous(space.highest() - PAGE, PAGE, Protection.READ);
      memory.map(SOMEWHERE, file, 0, 4 * PAGE, Protection.READ_WRITE, Sharing.SHARED);
      memory.map(2 * SOMEWHERE, file, PAGE, PAGE, Protection.READ_WRITE, Sharing.PRIVATE);
      memory.map(3 * SOMEWHERE, java, 0, PAGE, Protection.READ_EXECUTE, Sharing.PRIVATE);
      memory.write(SOMEWHERE, new byte[(int) PAGE]);
      memory.write(2 * SOMEWHERE, new byte[(int) PAGE]);
      memory.mapAnonymous(4 * SOMEWHERE, 256 * PAGE, Protection.READ_WRITE);
      for (int page = 0; page < 256; page += 2) { // many mappings of one
        memory.protect(4 * SOMEWHERE + page * PAGE, PAGE, Protection.NONE);
      }
      assertThat(mappingsBesidesTheImage(pool, stub.pid())).hasSize(7 + 256);

      try (Stub next = recycled(stub)) {
        assertThat(mappingsBesidesTheImage(pool, next.pid())).isEmpty();
        assertThat(Proc.status(next.pid(), "RssAnon")).isEqualTo("0 kB");
        assertThat(Proc.status(next.pid(), "RssShmem")).isEqualTo("4 kB"); // the image's text
      }
    }
  }

  // ---- registers ----

  /** In the order of struct user_regs_struct (sys/user.h), from fs_base on. */
  private static final long FS_BASE = Abi.REGS_ss + 8L;

  private static final long FS = Abi.REGS_ss + 40L;
  private static final int DATA_SEGMENT = 0x2b;

  /**
   * All that ptrace(2) sets: arithmetic, single step, direction, nested task, resume, alignment.
   */
  private static final long EVERY_FLAG = 0x54dd5L;

  @Test
  void shouldResetGeneralAndSegmentRegisters() {
    try (Arena arena = Arena.ofShared();
        Stub stub = usedStub()) {
      MemorySegment dirt = arena.allocate(Abi.REGS_SIZE, 8);
      MemorySegment seen = arena.allocate(Abi.REGS_SIZE, 8);
      for (long at = 0; at < Abi.REGS_SIZE; at += 8) {
        dirt.set(JAVA_LONG, at, 0x1111_0000_0000L + at);
      }
      dirt.set(JAVA_LONG, Abi.REGS_orig_rax, Abi.SYS_getpid);
      dirt.set(JAVA_LONG, Abi.REGS_cs, 0x33);
      dirt.set(JAVA_LONG, Abi.REGS_ss, DATA_SEGMENT);
      dirt.set(JAVA_LONG, Abi.REGS_eflags, EVERY_FLAG | 0x202);
      for (long at = FS_BASE + 16; at <= FS + 8; at += 8) { // ds, es, fs, gs
        dirt.set(JAVA_LONG, at, DATA_SEGMENT);
      }
      int pid = stub.pid();
      onTracer(pool, () -> PtraceCalls.setRegisters(pid, dirt.address()));
      onTracer(pool, () -> PtraceCalls.getRegisters(pid, seen.address()));
      assertThat(words(seen)).isEqualTo(words(dirt));

      try (Stub next = recycled(stub)) {
        assertThat(onTracer(pool, () -> PtraceCalls.getRegisters(next.pid(), seen.address())))
            .isZero();
        MemorySegment initial = arena.allocate(Abi.REGS_SIZE, 8);
        initial.set(
            JAVA_LONG, Abi.REGS_rip, StubImage.get().address(ImageSymbols.STUB_UNMAP_AROUND_DONE));
        initial.set(JAVA_LONG, Abi.REGS_orig_rax, -1);
        initial.set(JAVA_LONG, Abi.REGS_cs, 0x33);
        initial.set(JAVA_LONG, Abi.REGS_ss, DATA_SEGMENT);
        initial.set(JAVA_LONG, Abi.REGS_eflags, 0x246); // of xor
        assertThat(words(seen)).isEqualTo(words(initial));
      }
    }
  }

  private static List<String> words(MemorySegment registers) {
    return LongStream.of(registers.toArray(JAVA_LONG)).mapToObj(Long::toHexString).toList();
  }

  // Offsets and component numbers of the XSAVE layout (Intel SDM volume 1, chapter 13).
  private static final long XMM = 160;
  private static final long LINUX_FEATURES = 464;
  private static final long XSTATE_BV = 512;
  private static final long EXTENDED = 576;
  private static final int PKRU = 9;

  /**
   * Bytes of each component from 2 on that we dirty: ymm, masks, zmm, more zmm, protection keys.
   */
  private static final int[] COMPONENT_BYTES = {0, 0, 256, 0, 0, 64, 512, 1024, 0, 4};

  @Test
  void shouldResetVectorRegistersAndProtectionKeys() {
    try (Arena arena = Arena.ofShared();
        Stub stub = usedStub()) {
      MemorySegment dirt = arena.allocate(64 * 1024, 8);
      long size = vectors(stub, dirt, false);
      long features = dirt.get(JAVA_LONG, LINUX_FEATURES);
      long present = 3;
      int extendedBytes = 0;
      for (int component = 2; component < COMPONENT_BYTES.length; component++) {
        if (COMPONENT_BYTES[component] > 0 && (features & 1L << component) != 0) {
          present |= 1L << component;
          extendedBytes += COMPONENT_BYTES[component];
        }
      }
      Random random = new Random(1);
      fill(random, dirt, 0, 24); // x87 control, status, tags, last instruction and operand
      dirt.set(JAVA_INT, 0, 0x3800_0c7f);
      dirt.set(JAVA_INT, 24, 0xffbf); // mxcsr: all but denormals-are-zero, which not all CPUs have
      for (long register = 32; register < XMM; register += 16) {
        fill(random, dirt, register, 10);
      }
      fill(random, dirt, XMM, 256);
      fill(random, dirt, EXTENDED, size - EXTENDED);
      dirt.set(JAVA_LONG, XSTATE_BV, present);
      MemorySegment seen = arena.allocate(size, 8);
      vectors(stub, dirt.asSlice(0, size), true);
      vectors(stub, seen, false);
      assertThat(seen.asSlice(0, LINUX_FEATURES).mismatch(dirt.asSlice(0, LINUX_FEATURES)))
          .as("x87 and xmm")
          .isEqualTo(-1);
      assertThat(seen.get(JAVA_LONG, XSTATE_BV) & present).isEqualTo(present);
      assertThat(nonzero(seen, EXTENDED)).as("ymm, zmm and so on").isEqualTo(extendedBytes);

      try (Stub next = recycled(stub)) {
        vectors(next, seen, false);
        IdleStubIT.assertInitialVectors(seen);
        assertThat(seen.asSlice(2, 22).toArray(JAVA_BYTE)).containsOnly(0);
        if ((present & 1L << PKRU) != 0) {
          assertThat(seen.asSlice(EXTENDED).toArray(JAVA_INT)).contains(0x5555_5554);
        }
      }
    }
  }

  private static void fill(Random random, MemorySegment memory, long from, long count) {
    for (long at = from; at < from + count; at++) {
      memory.set(JAVA_BYTE, at, (byte) (1 + random.nextInt(255)));
    }
  }

  private static int nonzero(MemorySegment memory, long from) {
    int count = 0;
    for (long at = from; at < memory.byteSize(); at++) {
      count += memory.get(JAVA_BYTE, at) != 0 ? 1 : 0;
    }
    return count;
  }

  /** Reads or writes all vector registers; their size. */
  private long vectors(Stub stub, MemorySegment state, boolean write) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment vector = arena.allocate(Abi.IOVEC_SIZE, 8);
      IoVector.set(vector, 0, state.address(), state.byteSize());
      long result =
          onTracer(
              pool,
              () ->
                  write
                      ? PtraceCalls.setRegisterSet(stub.pid(), Abi.NT_X86_XSTATE, vector.address())
                      : PtraceCalls.getRegisterSet(
                          stub.pid(), Abi.NT_X86_XSTATE, vector.address()));
      assertThat(result).isZero();
      return IoVector.length(vector, 0);
    }
  }

  @Test
  void shouldDisarmBreakpoints() {
    try (Stub stub = usedStub()) {
      for (int register = 0; register < 4; register++) {
        long result = debug(stub, register, SOMEWHERE + register);
        Assumptions.assumeTrue(result == 0, "no hardware breakpoints: " + result);
      }
      assertThat(debug(stub, 7, 0x55)).as("all four, for execution").isZero();
      assertThat(debug(stub, 7) & 0xff).isEqualTo(0x55);
      assertThat(debug(stub, 3)).isEqualTo(SOMEWHERE + 3);

      try (Stub next = recycled(stub)) {
        // The kernel keeps the addresses, and forgets a bit of them at a time only: they mean
        // nothing
        // as long as this is 0.
        assertThat(debug(next, 7)).isZero();
      }
    }
  }

  private long debug(Stub stub, int register, long value) {
    return onTracer(
        pool, () -> PtraceCalls.pokeUser(stub.pid(), Abi.USER_DEBUGREG + register * 8L, value));
  }

  private long debug(Stub stub, int register) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment value = arena.allocate(JAVA_LONG);
      long result =
          onTracer(
              pool,
              () ->
                  PtraceCalls.peekUser(
                      stub.pid(), Abi.USER_DEBUGREG + register * 8L, value.address()));
      assertThat(result).isZero();
      return value.get(JAVA_LONG, 0);
    }
  }

  // ---- signals ----

  /** Nobody can block these two. */
  private static final long SIGNAL_MASK =
      Abi.STUB_SIGNAL_MASK & ~((1L << (Abi.SIGKILL - 1)) | (1L << (Abi.SIGSTOP - 1)));

  @Test
  void shouldResetTheSignalMask() {
    try (Arena arena = Arena.ofShared();
        Stub stub = usedStub()) {
      MemorySegment mask = arena.allocate(JAVA_LONG);
      onTracer(pool, () -> PtraceCalls.setSignalMask(stub.pid(), mask.address()));
      assertThat(Proc.status(stub.pid(), "SigBlk")).matches("0+");
      try (Stub next = recycled(stub)) {
        assertThat(onTracer(pool, () -> PtraceCalls.getSignalMask(next.pid(), mask.address())))
            .isZero();
        assertThat(mask.get(JAVA_LONG, 0)).isEqualTo(SIGNAL_MASK);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDiscardWhatHasASignalPending(boolean ofTheThread) {
    Stub stub = usedStub();
    int pid = stub.pid();
    send(pid, SIGUSR1, ofTheThread);
    assertThat(pending(pid, SIGUSR1, ofTheThread ? "SigPnd" : "ShdPnd")).isTrue();
    discarded(stub, "signal 10 is pending");
  }

  /** It is how a running guest is interrupted, so it may come late. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldDrainAnInterrupt(boolean ofTheThread) {
    Stub stub = usedStub();
    send(stub.pid(), Abi.SIGURG, ofTheThread);
    assertThat(pending(stub.pid(), Abi.SIGURG, ofTheThread ? "SigPnd" : "ShdPnd")).isTrue();
    try (Stub next = recycled(stub)) {
      assertThat(Proc.status(next.pid(), "SigPnd")).matches("0+");
      assertThat(Proc.status(next.pid(), "ShdPnd")).matches("0+");
    }
  }

  @Test
  void shouldGetOverJobControl() {
    int[][] sequences = {
      {Abi.SIGSTOP}, {SIGCONT}, {Abi.SIGSTOP, SIGCONT}, {SIGCONT, Abi.SIGSTOP}, {SIGTSTP, SIGCONT},
    };
    for (int[] signals : sequences) {
      Stub stub = usedStub();
      int source = pool.sourcePid();
      for (int signal : signals) {
        send(stub.pid(), signal, false);
        send(source, signal, false);
      }
      try (Logs log = new Logs(Supply.class)) {
        close(stub);
        assertThat(log.lines()).allMatch(line -> line.endsWith("signal 18 is pending"));
      }
      try (Stub next = pool.acquire();
          Stub born = pool.acquire()) {
        assertThat(next.syscall(Abi.SYS_getpid)).isEqualTo(next.pid());
        assertThat(born.syscall(Abi.SYS_getpid)).isEqualTo(born.pid());
      }
      assertThat(pool.sourcePid()).isEqualTo(source);
    }
  }

  private static void send(int pid, int signal, boolean toTheThread) {
    long result =
        toTheThread ? ProcessCalls.signalThread(pid, pid, signal) : ProcessCalls.kill(pid, signal);
    assertThat(result).isZero();
  }

  private static boolean pending(int pid, int signal, String field) {
    return (Long.parseUnsignedLong(Proc.status(pid, field), 16) & 1L << (signal - 1)) != 0;
  }

  // ---- threads ----

  @Test
  void shouldDiscardWhatHasASecondThread() {
    Stub stub = usedStub();
    int thread = startThread(stub);
    assertThat(ProcessCalls.threads(stub.pid())).containsOnly(stub.pid(), thread);
    discarded(stub, "it has 2 threads");
    assertThat(Path.of("/proc/" + thread)).doesNotExist();
  }

  /** A second thread as a guest will have them, stopped and known to the tracer. */
  private int startThread(Stub stub) {
    long[] thread = new long[1];
    try (Arena arena = Arena.ofShared()) {
      MemorySegment siginfo = arena.allocate(Abi.SIGINFO_SIZE, 8);
      // In one task: a sweep between two would find its stop, and end what the pool does not know.
      assertThat(
              onTracer(
                  pool,
                  () -> {
                    thread[0] = inject(stub, Abi.SYS_clone, Abi.GUEST_THREAD_FLAGS);
                    return WaitCalls.awaitStop((int) thread[0], siginfo.address());
                  }))
          .isZero();
    }
    assertThat(thread[0]).isPositive();
    return (int) thread[0];
  }

  // ---- what others changed ----

  @Test
  void shouldDiscardWhatMayRunElsewhere() {
    int other = otherCpu();
    Stub stub = usedStub();
    BitSet before = cpus(stub.pid());
    bind(stub.pid(), BitSet.valueOf(new long[] {1L << other}));
    assertThat(cpus(stub.pid())).isNotEqualTo(before);
    discarded(stub, "its CPUs or limits are not those of the source");

    Stub back = usedStub();
    bind(back.pid(), BitSet.valueOf(new long[] {1L << other}));
    bind(back.pid(), before);
    recycled(back).close();
  }

  /** A CPU that the pool's stubs do not run on. */
  private int otherCpu() {
    BitSet all = ProcessCalls.affinity();
    all.andNot(cpus(pool.sourcePid()));
    Assumptions.assumeFalse(all.isEmpty(), "needs two CPUs");
    int other = all.nextSetBit(0);
    Assumptions.assumeTrue(other < Long.SIZE, "needs one of the first 64 CPUs");
    return other;
  }

  private static BitSet cpus(int pid) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(1024, 8);
      long bytes = ProcessCalls.affinity(pid, mask);
      assertThat(bytes).isPositive();
      return BitSet.valueOf(mask.asSlice(0, bytes).toArray(JAVA_LONG));
    }
  }

  private static void bind(int pid, BitSet cpus) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(1024, 8);
      MemorySegment.copy(cpus.toLongArray(), 0, mask, JAVA_LONG, 0, cpus.toLongArray().length);
      assertThat(Kernel.call(Abi.SYS_sched_setaffinity, pid, 1024, mask.address())).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        Abi.RLIMIT_CPU,
        Abi.RLIMIT_DATA,
        Abi.RLIMIT_CORE,
        Abi.RLIMIT_NPROC,
        Abi.RLIMIT_AS,
        Abi.RLIMIT_SIGPENDING
      })
  void shouldDiscardWhatHasOtherLimits(int resource) {
    long[] before = limit(pool.sourcePid(), resource);
    long lower = (before[0] - 1) & Long.MAX_VALUE; // infinity is -1
    long[] soft = before[0] == 0 ? new long[] {1, 1} : new long[] {lower, before[1]};
    long[] hard = before[0] == 0 ? new long[] {0, 1} : new long[] {lower, lower};
    Stub stub = usedStub();
    assertThat(limit(stub.pid(), resource)).isEqualTo(before);
    Assumptions.assumeTrue(
        trySetLimit(stub.pid(), resource, soft) == 0, "to raise a limit needs CAP_SYS_RESOURCE");
    discarded(stub, "its CPUs or limits are not those of the source");

    Stub other = usedStub();
    setLimit(other.pid(), resource, hard);
    discarded(other, "its CPUs or limits are not those of the source");

    Stub back = usedStub();
    setLimit(back.pid(), resource, soft);
    setLimit(back.pid(), resource, before);
    recycled(back).close();
  }

  /** Soft and hard limit. */
  private static long[] limit(int pid, int resource) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limit = arena.allocate(Abi.RLIMIT64_SIZE, 8);
      assertThat(ProcessCalls.limit(pid, resource, limit.address())).isZero();
      return limit.toArray(JAVA_LONG);
    }
  }

  private static void setLimit(int pid, int resource, long... value) {
    assertThat(trySetLimit(pid, resource, value)).isZero();
    assertThat(limit(pid, resource)).isEqualTo(value);
  }

  private static long trySetLimit(int pid, int resource, long... value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limit = arena.allocateFrom(JAVA_LONG, value);
      return Kernel.call(Abi.SYS_prlimit64, pid, resource, limit.address(), 0);
    }
  }

  /** As when an administrator changes the cpuset of all. */
  @Test
  void shouldGoOnWhenTheSourceWasChangedToo() {
    int other = otherCpu();
    BitSet before = cpus(pool.sourcePid());
    for (BitSet now : List.of(BitSet.valueOf(new long[] {1L << other}), before)) {
      try (Stub left = usedStub()) {
        Stub stub = usedStub();
        bind(pool.sourcePid(), now);
        bind(stub.pid(), now);
        Stub next = recycled(stub);
        assertThat(cpus(next.pid())).isEqualTo(now);
        discarded(left, "its CPUs or limits are not those of the source");
        next.close();
      }
      try (Stub born = pool.acquire();
          Stub another = pool.acquire()) {
        assertThat(cpus(born.pid())).isEqualTo(now);
        assertThat(cpus(another.pid())).isEqualTo(now);
      }
    }
    setLimit(pool.sourcePid(), Abi.RLIMIT_AS, 1L << 45, -1);
    Stub stub = usedStub();
    setLimit(stub.pid(), Abi.RLIMIT_AS, 1L << 45, -1);
    recycled(stub).close();
  }

  // ---- what nobody looks at ----

  /**
   * Of what a stub could do to itself, all that would outlast a recycling is denied, so it need not
   * be undone.
   */
  @Test
  void shouldBeUnableToChangeWhatIsNotLookedAt() {
    try (Stub stub = usedStub()) {
      stub.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
      List<String> before = state(stub.pid());
      long here = SOMEWHERE;
      long child = Abi.CHILD_STUB_FLAGS;
      long parent = 0x8000;
      long traced = 0x2000;
      long[][] calls = {
        {Abi.SYS_sigaltstack, here, 0},
        {Abi.SYS_rt_sigaction, SIGUSR1, here, 0, 8},
        {Abi.SYS_rt_sigprocmask, 2, here, 0, 8},
        {Abi.SYS_rt_sigreturn},
        {Abi.SYS_rseq, here, 32, 0, 0x53053053},
        {Abi.SYS_set_tid_address, here},
        {Abi.SYS_set_robust_list, here, 24},
        {Abi.SYS_prctl, 59, 1, 0, 0, here}, // PR_SET_SYSCALL_USER_DISPATCH
        {Abi.SYS_prctl, 22, 2, here}, // PR_SET_SECCOMP
        {Abi.SYS_seccomp, 1, 0, here},
        {Abi.SYS_prctl, 1, 0}, // PR_SET_PDEATHSIG, none
        {Abi.SYS_prctl, 4, 0}, // PR_SET_DUMPABLE
        {Abi.SYS_prctl, 15, here}, // PR_SET_NAME
        {Abi.SYS_prctl, 29, 1000}, // PR_SET_TIMERSLACK
        {Abi.SYS_prctl, 36, 1}, // PR_SET_CHILD_SUBREAPER
        {Abi.SYS_prctl, 41, 1}, // PR_SET_THP_DISABLE
        {Abi.SYS_prctl, 47, 2, 0}, // PR_CAP_AMBIENT
        {Abi.SYS_arch_prctl, 0x1002, here}, // ARCH_SET_FS
        {Abi.SYS_arch_prctl, 0x1012, 0}, // ARCH_SET_CPUID
        {Abi.SYS_arch_prctl, 0x1023, 18}, // ARCH_REQ_XCOMP_PERM
        {Abi.SYS_setuid, 1},
        {Abi.SYS_setresgid, 1, 1, 1},
        {Abi.SYS_setgroups, 0, 0},
        {Abi.SYS_capset, here, here + 8},
        {Abi.SYS_setpgid, 0, 0},
        {Abi.SYS_setsid},
        {Abi.SYS_personality, 0x0040000},
        {Abi.SYS_prlimit64, 0, Abi.RLIMIT_AS, here, 0},
        {Abi.SYS_setrlimit, Abi.RLIMIT_AS, here},
        {Abi.SYS_sched_setaffinity, 0, 8, here},
        {Abi.SYS_sched_setscheduler, 0, 3, here},
        {Abi.SYS_setpriority, 0, 0, 19},
        {Abi.SYS_ioprio_set, 1, 0, 3 << 13},
        {Abi.SYS_setitimer, 0, here, 0},
        {Abi.SYS_timer_create, 1, 0, here},
        {Abi.SYS_alarm, 1000},
        {Abi.SYS_pkey_alloc, 0, 0},
        {Abi.SYS_brk, here},
        {Abi.SYS_mlockall, 2},
        {Abi.SYS_madvise, here, PAGE, 10}, // MADV_DONTFORK
        {Abi.SYS_unshare, 0x20000},
        {Abi.SYS_umask, 0777},
        {Abi.SYS_ptrace, 0, 0, 0, 0}, // PTRACE_TRACEME
        {Abi.SYS_kill, stub.pid(), SIGUSR1},
        {Abi.SYS_tgkill, stub.pid(), stub.pid(), SIGUSR1},
        {Abi.SYS_execve, here, 0, 0},
        {Abi.SYS_fork},
        {Abi.SYS_vfork},
        {Abi.SYS_clone3, here, 88},
        {Abi.SYS_clone, Abi.SIGCHLD},
        {Abi.SYS_clone, child & ~parent},
        {Abi.SYS_clone, child & ~traced},
        {Abi.SYS_clone, Abi.GUEST_THREAD_FLAGS & ~traced},
      };
      for (long[] call : calls) {
        int number = (int) call[0];
        assertThat(denied(stub, number, Arrays.copyOfRange(call, 1, call.length)))
            .as("%s %s", SystemCalls.name(number), Arrays.toString(call))
            .isTrue();
      }
      assertThat(state(stub.pid())).isEqualTo(before);
      recycled(stub).close();
    }
  }

  private boolean denied(Stub stub, int number, long... arguments) {
    try {
      inject(stub, number, arguments);
      return false;
    } catch (DeniedSystemCallException e) {
      return e.number() == number;
    }
  }

  /** What /proc tells of a process, less its use of memory and CPU, and its user's of signals. */
  private static List<String> state(int pid) {
    List<String> state = new ArrayList<>();
    try {
      Path process = Path.of("/proc/" + pid);
      for (String line : Files.readAllLines(process.resolve("status"))) {
        if (!line.matches("(Vm|Rss|SigQ|voluntary|nonvoluntary).*")) {
          state.add(line);
        }
      }
      for (String file : List.of("limits", "personality", "oom_score_adj", "cgroup")) {
        state.addAll(Files.readAllLines(process.resolve(file)));
      }
      for (String file : List.of("task/" + pid + "/children", "timers")) {
        state.add(file + ": " + Files.readString(process.resolve(file)));
      }
      // From the parent's pid to the controlling terminal, then priority, nice value and threads.
      String[] stat = Files.readString(process.resolve("stat")).split(" ");
      state.addAll(List.of(stat).subList(3, 8));
      state.addAll(List.of(stat).subList(17, 20));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return state;
  }

  // ---- copies, and leases that did nothing ----

  @Test
  void shouldRecycleACopyOfADirtyStub() {
    try (Arena arena = Arena.ofShared();
        Stub parent = usedStub()) {
      parent.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
      parent.memory().write(SOMEWHERE, new byte[] {42});
      MemorySegment mask = arena.allocate(JAVA_LONG);
      onTracer(pool, () -> PtraceCalls.setSignalMask(parent.pid(), mask.address()));
      dirtyVectors(parent, arena);

      Stub copy = parent.spawnChild();
      assertThat(copy.memory().read(SOMEWHERE, 1)).containsExactly(42);
      assertThat(Proc.status(copy.pid(), "SigBlk")).matches("0+");
      assertThat(xmm(copy, arena)).isNotZero();

      try (Stub next = recycled(copy)) {
        assertClean(next, arena);
        assertThat(parent.memory().read(SOMEWHERE, 1)).containsExactly(42);
      }
    }
  }

  @Test
  void shouldLeaveNothingToACopyOfARecycledStub() {
    try (Arena arena = Arena.ofShared();
        Stub stub = usedStub()) {
      stub.memory().mapAnonymous(SOMEWHERE, PAGE, Protection.READ_WRITE);
      stub.memory().write(SOMEWHERE, new byte[] {42});
      MemorySegment mask = arena.allocate(JAVA_LONG);
      onTracer(pool, () -> PtraceCalls.setSignalMask(stub.pid(), mask.address()));
      dirtyVectors(stub, arena);
      try (Stub next = recycled(stub);
          Stub copy = next.spawnChild()) {
        assertClean(copy, arena);
      }
    }
  }

  /** A copy inherits what others did to its parent. */
  @Test
  void shouldDiscardACopyOfWhatOthersChanged() {
    try (Stub parent = usedStub()) {
      setLimit(parent.pid(), Abi.RLIMIT_DATA, 1L << 40, -1);
      Stub copy = parent.spawnChild();
      discarded(copy, "its CPUs or limits are not those of the source");
    }
  }

  private void dirtyVectors(Stub stub, Arena arena) {
    MemorySegment vectors = arena.allocate(64 * 1024, 8);
    long size = vectors(stub, vectors, false);
    fill(new Random(2), vectors, XMM, 256);
    vectors.set(JAVA_LONG, XSTATE_BV, 3);
    vectors(stub, vectors.asSlice(0, size), true);
    assertThat(xmm(stub, arena)).isNotZero();
  }

  private long xmm(Stub stub, Arena arena) {
    MemorySegment vectors = arena.allocate(64 * 1024, 8);
    vectors(stub, vectors, false);
    return vectors.get(JAVA_LONG, XMM);
  }

  private void assertClean(Stub stub, Arena arena) {
    assertThat(mappingsBesidesTheImage(pool, stub.pid())).isEmpty();
    assertThat(Proc.status(stub.pid(), "SigBlk")).isEqualTo(Long.toHexString(SIGNAL_MASK));
    MemorySegment vectors = arena.allocate(64 * 1024, 8);
    long size = vectors(stub, vectors, false);
    IdleStubIT.assertInitialVectors(vectors.asSlice(0, size));
  }

  @Test
  void shouldHandOnAnUnusedLeaseAsItIs() {
    usedStub().close(); // a stub that has been somebody's
    Proc.await("its return", () -> pool.stats().idle() == 1);
    long recycled = pool.stats().recycled();
    Stub stub = pool.acquire();
    int pid = stub.pid();
    String switches = switches(pid);
    for (int lease = 0; lease < 5; lease++) {
      stub.close();
      Proc.await("its return", () -> pool.stats().idle() == 1);
      stub = pool.acquire();
      assertThat(stub.pid()).isEqualTo(pid);
    }
    assertThat(switches(pid)).as("it never ran").isEqualTo(switches);
    assertThat(pool.stats().recycled()).isEqualTo(recycled);
    assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(pid);
    assertThat(switches(pid)).as("it ran").isNotEqualTo(switches);
    stub.close();
  }

  private static String switches(int pid) {
    return Proc.status(pid, "voluntary_ctxt_switches");
  }

  // ---- helpers ----

  private Stub usedStub() {
    Stub stub = pool.acquire();
    assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
    return stub;
  }

  /** Closes a lease, and waits until the process is idle or dead; which of the two. */
  private static StubState close(Stub stub) {
    StubProcess process = Internals.process(stub);
    stub.close();
    Proc.await(
        "the end of a lease",
        () -> process.state() == StubState.IDLE || process.state() == StubState.DEAD);
    return process.state();
  }

  /** Closes a lease; the next of the same stub. */
  private Stub recycled(Stub stub) {
    long before = pool.stats().recycled();
    try (Logs log = new Logs(Supply.class)) {
      assertThat(close(stub)).as("%s", log.lines()).isEqualTo(StubState.IDLE);
    }
    assertThat(pool.stats().recycled()).isGreaterThan(before);
    List<Stub> others = new ArrayList<>();
    Stub next = pool.acquire();
    while (next.pid() != stub.pid()) {
      others.add(next);
      next = pool.acquire();
    }
    others.forEach(Stub::close);
    return next;
  }

  /** Closes the lease of a stub that must not be handed on. */
  private void discarded(Stub stub, String why) {
    int pid = stub.pid();
    long before = pool.stats().discarded();
    try (Logs log = new Logs(Supply.class)) {
      assertThat(close(stub)).isEqualTo(StubState.DEAD);
      assertThat(log.lines())
          .containsExactly(
              "WARN pool recycled: stub %d is discarded instead of recycled: %s"
                  .formatted(pid, why));
    }
    Proc.await("its end", () -> !Proc.exists(pid));
    Proc.await("the count", () -> pool.stats().discarded() == before + 1);
    try (Stub next = pool.acquire()) {
      assertThat(next.pid()).isNotEqualTo(pid);
    }
  }

  /** Makes a call that is not for callers. */
  private long inject(Stub stub, int number, long... arguments) {
    long[] all = Arrays.copyOf(arguments, 6);
    return onTracer(
        pool,
        () -> {
          try (StopRunner tracer = new StopRunner(PATIENCE, true, tracee -> {})) {
            return tracer.inject(
                Internals.process(stub).tracee,
                number,
                all[0],
                all[1],
                all[2],
                all[3],
                all[4],
                all[5],
                STEP);
          }
        });
  }
}
