package dev.stubpool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.abi.Errno;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ExtendedState;
import dev.stubpool.support.NativeCpu;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** All that a guest computes with comes back as it was set, whichever thread and stub it is in. */
class GuestStateIT {
  private static final int TRAPS = Effort.cases(20_000, 1_000_000);
  private static final long CODE = 0x10_0000;

  /** Where the guest puts its mxcsr. */
  private static final long DATA = 0x20_0000;

  /** stmxcsr [DATA]; syscall; jmp -12. */
  private static final byte[] CALLS = HexFormat.of().parseHex("0fae1c2500002000" + "0f05" + "ebf4");

  /** Behind the system call instruction. */
  private static final long CALLED = CODE + 10;

  /** The general registers that a system call leaves alone, as words of user_regs_struct. */
  private static final int[] KEPT = {
    Abi.REGS_r15, Abi.REGS_r14, Abi.REGS_r13, Abi.REGS_r12, Abi.REGS_rbp, Abi.REGS_rbx,
    Abi.REGS_r10, Abi.REGS_r9, Abi.REGS_r8, Abi.REGS_rdx, Abi.REGS_rsi, Abi.REGS_rdi,
    Abi.REGS_rsp
  };

  private static final int[] SEGMENTS = {
    Abi.REGS_fs_base, Abi.REGS_gs_base, Abi.REGS_ds, Abi.REGS_es, Abi.REGS_fs, Abi.REGS_gs
  };

  /** AC, NT, OF, DF, SF, ZF, AF, PF, CF. */
  private static final long FLAGS = 0x44cd5;

  /** IF and the bit that is always 1. */
  private static final long FLAGS_ALWAYS = 0x202;

  private static final int INITIAL_FCW = 0x37f;
  private static final int INITIAL_MXCSR = 0x1f80;
  private static final int MXCSR = 24;
  private static final int XSTATE_BV = 512;
  private static final int X87 = 0;
  private static final int SSE = 1;
  private static final int X32_BIT = 0x4000_0000;

  /** Where Linux tells the components that there is room for. */
  private static final int LINUX_FEATURES = 464;

  private static final ValueLayout.OfInt INT = JAVA_INT.withByteAlignment(1);
  private static final ValueLayout.OfLong LONG = JAVA_LONG.withByteAlignment(1);

  private StubPool pool;
  private final NativeCpu.States natively = new NativeCpu.States();

  /** What an ordinary process has made of mxcsr, by the components that were present. */
  private final Map<Long, Boolean> keepsMxcsr = new HashMap<>();

  private final long seed = new Random().nextLong();
  private final Random random = new Random(seed);

  @AfterEach
  void close() {
    natively.close();
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  private void open(OnRelease onRelease) {
    pool =
        StubPool.open(
            StubPoolOptions.builder()
                .name("states")
                .minIdle(0)
                .maxStubs(8)
                .onRelease(onRelease)
                .build());
  }

  private Stub load() {
    Stub stub = pool.acquire();
    stub.memory().mapAnonymous(CODE, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    stub.memory().write(CODE, CALLS);
    stub.memory().protect(CODE, AddressSpace.PAGE_SIZE, Protection.READ_EXECUTE);
    stub.memory().mapAnonymous(DATA, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    return stub;
  }

  /** What a guest was given, and must come back with. */
  private static final class Expected {
    private final long[] words;
    private final byte[] vectorState;
    private final int mxcsr;

    Expected(long[] words, byte[] vectorState, int mxcsr) {
      this.words = words;
      this.vectorState = vectorState;
      this.mxcsr = mxcsr;
    }

    long word(int offset) {
      return words[offset / Long.BYTES];
    }
  }

  @Test
  void shouldComeBackWithWhatWasSet() {
    open(OnRelease.DISCARD); // copies make room for copies
    System.out.printf("GuestStateIT: seed %d, %d traps%n", seed, TRAPS);
    boolean bases = hasBaseInstructions();
    List<Component> components = components();
    List<Stub> stubs = new ArrayList<>(List.of(load(), load()));
    try {
      Expected expected = null;
      GuestState state = null;
      int moves = 0;
      for (int done = 0; done < TRAPS; ) {
        int most = Math.min(TRAPS - done, 1 + random.nextInt(200));
        if (moves++ % 5 == 4) {
          Stub parent = stubs.remove(0);
          stubs.add(parent.spawnChild());
          parent.close();
          Proc.await("its end", () -> pool.stats().total() <= 2);
        }
        Stub stub = stubs.get(random.nextInt(stubs.size()));
        Leg leg = new Leg(components, bases, expected, state, most);
        stub.run(leg);
        done += leg.done;
        expected = leg.expected;
        state = leg.state;
      }
      assertThat(moves).isGreaterThan(TRAPS / 400);
    } finally {
      stubs.forEach(Stub::close);
    }
  }

  /** Some traps in one run: what was carried here first, then what is made up. */
  private final class Leg implements GuestProgram<Object, RuntimeException> {
    private final List<Component> components;
    private final boolean bases;
    private final int most;
    private Expected expected;
    private GuestState state;
    private int done;

    Leg(List<Component> components, boolean bases, Expected expected, GuestState state, int most) {
      this.components = components;
      this.bases = bases;
      this.expected = expected;
      this.state = state;
      this.most = most;
    }

    @Override
    public Object run(Guest guest) {
      if (state != null) {
        guest.restore(state);
        if (random.nextBoolean()) {
          // Nothing is set anew but the number: all the rest has been carried.
          int number = random.nextInt();
          guest.registers().rax(number);
          expected.words[Abi.REGS_rax / Long.BYTES] = number;
          check(guest);
        }
      }
      while (done < most) {
        expected = random.nextInt(4) == 0 && expected != null ? setSome(guest) : setAll(guest);
        check(guest);
      }
      state = guest.save();
      return null;
    }

    private Expected setAll(Guest guest) {
      long[] words = new long[Abi.REGS_SIZE / Long.BYTES];
      for (int offset : KEPT) {
        words[offset / Long.BYTES] = random.nextLong();
      }
      words[Abi.REGS_rax / Long.BYTES] = random.nextLong();
      words[Abi.REGS_eflags / Long.BYTES] = randomFlags();
      words[Abi.REGS_fs_base / Long.BYTES] = bases ? randomBase() : 0;
      words[Abi.REGS_gs_base / Long.BYTES] = bases ? randomBase() : 0;
      words[Abi.REGS_ds / Long.BYTES] = randomSelector();
      words[Abi.REGS_es / Long.BYTES] = randomSelector();
      words[Abi.REGS_fs / Long.BYTES] = bases ? randomSelector() : 0;
      words[Abi.REGS_gs / Long.BYTES] = bases ? randomSelector() : 0;
      X86Registers registers = guest.registers();
      registers.r15(words[Abi.REGS_r15 / Long.BYTES]).r14(words[Abi.REGS_r14 / Long.BYTES]);
      registers.r13(words[Abi.REGS_r13 / Long.BYTES]).r12(words[Abi.REGS_r12 / Long.BYTES]);
      registers.rbp(words[Abi.REGS_rbp / Long.BYTES]).rbx(words[Abi.REGS_rbx / Long.BYTES]);
      registers.r10(words[Abi.REGS_r10 / Long.BYTES]).r9(words[Abi.REGS_r9 / Long.BYTES]);
      registers.r8(words[Abi.REGS_r8 / Long.BYTES]).rdx(words[Abi.REGS_rdx / Long.BYTES]);
      registers.rsi(words[Abi.REGS_rsi / Long.BYTES]).rdi(words[Abi.REGS_rdi / Long.BYTES]);
      registers.rsp(words[Abi.REGS_rsp / Long.BYTES]).rax(words[Abi.REGS_rax / Long.BYTES]);
      registers.rcx(random.nextLong()).r11(random.nextLong());
      registers.flags(words[Abi.REGS_eflags / Long.BYTES]).rip(CODE);
      guest
          .segments()
          .fsBase(words[Abi.REGS_fs_base / Long.BYTES])
          .gsBase(words[Abi.REGS_gs_base / Long.BYTES])
          .ds((int) words[Abi.REGS_ds / Long.BYTES])
          .es((int) words[Abi.REGS_es / Long.BYTES])
          .fs((int) words[Abi.REGS_fs / Long.BYTES])
          .gs((int) words[Abi.REGS_gs / Long.BYTES]);
      byte[] vectors = randomVectors(guest.vectorState(), components);
      guest.vectorState(MemorySegment.ofArray(vectors));
      return new Expected(words, vectors, mxcsrOf(vectors));
    }

    /** One register and the result, as who serves system calls does it. */
    private Expected setSome(Guest guest) {
      long[] words = expected.words.clone();
      words[Abi.REGS_r12 / Long.BYTES] = random.nextLong();
      words[Abi.REGS_rax / Long.BYTES] = random.nextLong();
      if (random.nextBoolean()) {
        guest.registers().r12(words[Abi.REGS_r12 / Long.BYTES]);
      } else {
        words[Abi.REGS_r12 / Long.BYTES] = expected.word(Abi.REGS_r12);
      }
      if (done > 0) {
        guest.complete(words[Abi.REGS_rax / Long.BYTES]);
      } else {
        guest.registers().rax(words[Abi.REGS_rax / Long.BYTES]);
      }
      return new Expected(words, expected.vectorState, expected.mxcsr);
    }

    private void check(Guest guest) {
      if (random.nextInt(8) == 0) {
        assertThat(guest.stub().syscall(Abi.SYS_getpid)).isEqualTo(guest.stub().pid());
      }
      Trap.SystemCall call = (Trap.SystemCall) guest.resume();
      done++;
      String where = "seed " + seed + ", trap " + done;
      long number = expected.word(Abi.REGS_rax);
      boolean x32 = (int) number >= 0 && (number & X32_BIT) != 0;
      assertThat(call.number()).as(where).isEqualTo((int) number & (x32 ? ~X32_BIT : -1));
      assertThat(call.abi()).as(where).isEqualTo(x32 ? SystemCallAbi.X32 : SystemCallAbi.X86_64);
      assertThat(call.instructionPointer()).as(where).isEqualTo(CALLED);
      assertThat(call.arguments())
          .as(where)
          .containsExactly(
              expected.word(Abi.REGS_rdi),
              expected.word(Abi.REGS_rsi),
              expected.word(Abi.REGS_rdx),
              expected.word(Abi.REGS_r10),
              expected.word(Abi.REGS_r8),
              expected.word(Abi.REGS_r9));
      if (random.nextInt(8) == 0) {
        assertThat(guest.stub().syscall(Abi.SYS_getpid)).isEqualTo(guest.stub().pid());
      }
      long[] words = guest.save().words();
      for (int offset : KEPT) {
        assertWord(where, words, offset, expected.word(offset));
      }
      for (int offset : SEGMENTS) {
        assertWord(where, words, offset, expected.word(offset));
      }
      assertWord(where, words, Abi.REGS_rax, -Errno.ENOSYS); // and the number was in orig_rax
      assertWord(where, words, Abi.REGS_rip, CALLED);
      assertWord(where, words, Abi.REGS_rcx, CALLED);
      long flags = (expected.word(Abi.REGS_eflags) & FLAGS) | FLAGS_ALWAYS;
      assertWord(where, words, Abi.REGS_eflags, flags);
      assertWord(where, words, Abi.REGS_r11, flags);
      MemorySegment vectors = guest.vectorState();
      for (Component component : components) {
        component.assertSame(where, expected.vectorState, vectors);
      }
      int mxcsr = storedMxcsr(guest);
      if (mxcsr != expected.mxcsr) {
        assertThat(mxcsr).as("%s, mxcsr", where).isEqualTo(expected.mxcsr);
      }
      if ((vectors.get(JAVA_LONG, XSTATE_BV) & 1 << SSE) != 0) {
        assertThat(vectors.get(JAVA_INT, MXCSR)).as(where).isEqualTo(mxcsr);
      }
    }
  }

  private static void assertWord(String where, long[] words, int offset, long value) {
    if (words[offset / Long.BYTES] != value) {
      assertThat(words[offset / Long.BYTES]).as("%s, word at %d", where, offset).isEqualTo(value);
    }
  }

  private long randomFlags() {
    return (random.nextLong() & FLAGS) | FLAGS_ALWAYS;
  }

  private long randomBase() {
    return switch (random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> 0x7fff_ffff_efffL;
      default -> random.nextLong() >>> 17;
    };
  }

  private int randomSelector() {
    return random.nextBoolean() ? 0 : 0x2b;
  }

  /** A component of the vector state, as CPUID tells of it. */
  private record Component(int number, int offset, int size) {
    void assertSame(String where, byte[] expected, MemorySegment found) {
      MemorySegment mine = MemorySegment.ofArray(expected);
      byte[] was = bytes(mine);
      byte[] is = bytes(found);
      if (!Arrays.equals(was, is)) {
        HexFormat hex = HexFormat.of();
        assertThat(hex.formatHex(is))
            .as("%s, component %d", where, number)
            .isEqualTo(hex.formatHex(was));
      }
    }

    /** Its registers; a component that is not present has its initial state. */
    private byte[] bytes(MemorySegment state) {
      byte[] bytes = new byte[size];
      if ((state.get(LONG, XSTATE_BV) & 1L << number) == 0) {
        if (number == X87) {
          bytes[0] = (byte) INITIAL_FCW;
          bytes[1] = INITIAL_FCW >> 8;
        }
        return bytes;
      }
      MemorySegment.copy(state, JAVA_BYTE, offset, bytes, 0, size);
      if (number == X87) {
        // Pointers to the last instruction are not everywhere kept; mxcsr is not of x87.
        Arrays.fill(bytes, 6, 32, (byte) 0);
      }
      return bytes;
    }
  }

  private List<Component> components() {
    List<Component> components = new ArrayList<>();
    long features;
    try (Stub stub = load()) {
      features = stub.run(guest -> guest.vectorState().get(JAVA_LONG, LINUX_FEATURES));
    }
    for (Component component :
        List.of(
            new Component(X87, 0, 160),
            new Component(SSE, 160, 256),
            component(2, 256), // AVX
            component(5, 64), // opmasks
            component(6, 512), // ZMM_Hi256
            component(7, 1024))) { // Hi16_ZMM
      if ((features & 1L << component.number) != 0) {
        components.add(component);
      }
    }
    return components;
  }

  private static Component component(int number, int size) {
    return new Component(number, ExtendedState.offset(number), size);
  }

  /** Random registers in a random choice of components; the others are initial. */
  private byte[] randomVectors(MemorySegment like, List<Component> components) {
    byte[] state = new byte[(int) like.byteSize()];
    MemorySegment vectors = MemorySegment.ofArray(state);
    // What this test knows nothing of stays as it is, the header last.
    vectors.copyFrom(like);
    long present = vectors.get(LONG, XSTATE_BV);
    for (Component component : components) {
      if (random.nextInt(8) == 0) {
        present &= ~(1L << component.number);
        continue;
      }
      present |= 1L << component.number;
      byte[] bytes = new byte[component.size];
      random.nextBytes(bytes);
      if (component.number == X87) {
        Arrays.fill(bytes, 0, 32, (byte) 0);
        for (int register = 0; register < 8; register++) {
          Arrays.fill(bytes, 32 + register * 16 + 10, 32 + register * 16 + 16, (byte) 0);
        }
        // All exceptions masked, full precision, any rounding; any top and condition codes, none
        // pending; any tags.
        bytes[0] = 0x7f;
        bytes[1] = (byte) ((random.nextInt(4) << 2) | 3);
        bytes[2] = 0;
        bytes[3] = (byte) (random.nextInt() & 0x7f);
        bytes[4] = (byte) random.nextInt();
        MemorySegment.copy(bytes, 0, vectors, JAVA_BYTE, 0, MXCSR);
        MemorySegment.copy(bytes, 32, vectors, JAVA_BYTE, 32, bytes.length - 32);
      } else {
        MemorySegment.copy(bytes, 0, vectors, JAVA_BYTE, component.offset, bytes.length);
      }
    }
    vectors.set(INT, MXCSR, random.nextInt() & 0xffff);
    vectors.set(LONG, XSTATE_BV, present);
    return state;
  }

  /**
   * What a guest computes with that is given a vector state.
   *
   * <p>If SSE is among the components that are present, it is what was given. If not, it depends on
   * the CPU, and on which of its instructions the kernel uses. XRSTORS loads mxcsr with SSE alone
   * (Intel SDM volume 1, Operation of XRSTORS), XRSTOR of the standard format with AVX too (the
   * same, Standard Form of XRSTOR). Nor can ptrace(2) tell: Intel's XSAVES writes mxcsr with SSE
   * alone (the same, Operation of XSAVES), and what was there before is shown; on AMD's CPUs the
   * initial value was seen (AMD APM volume 4, XSAVES). So an ordinary process is asked, once for
   * each set of components, and guests are asked by STMXCSR.
   */
  private int mxcsrOf(byte[] vectorState) {
    MemorySegment vectors = MemorySegment.ofArray(vectorState);
    int given = vectors.get(INT, MXCSR);
    long present = vectors.get(LONG, XSTATE_BV);
    boolean kept =
        keepsMxcsr.computeIfAbsent(
            present,
            _ -> {
              // Unlike the initial one in every bit that can be set.
              byte[] question = vectorState.clone();
              int other = ~INITIAL_MXCSR & 0xffff;
              MemorySegment.ofArray(question).set(INT, MXCSR, other);
              int answer = natively.mxcsr(question);
              assertThat(answer).as("components 0x%x", present).isIn(other, INITIAL_MXCSR);
              return answer == other;
            });
    if ((present & 1 << SSE) != 0) {
      assertThat(kept).as("an ordinary process keeps mxcsr with SSE").isTrue();
    }
    return kept ? given : INITIAL_MXCSR;
  }

  private static int storedMxcsr(Guest guest) {
    byte[] bytes = guest.memory().read(DATA, Integer.BYTES);
    return MemorySegment.ofArray(bytes).get(INT, 0);
  }

  @Test
  void shouldBeginWithNothing() {
    open(OnRelease.RECYCLE);
    try (Stub stub = load()) {
      int pid = stub.pid();
      assertBeginsWithNothing(stub);
      List<Component> components = components();
      stub.run(new Leg(components, hasBaseInstructions(), null, null, 3));
      assertBeginsWithNothing(stub);
      try (Stub copy = stub.spawnChild()) {
        assertBeginsWithNothing(copy);
      }
      stub.run(new Leg(components, hasBaseInstructions(), null, null, 3));
      stub.close();
      Proc.await("its return", () -> pool.stats().leased() == 0);
      Proc.await("the reset", () -> pool.stats().idle() == pool.stats().total());
      List<Stub> all = new ArrayList<>();
      Stub next;
      do {
        next = load();
        all.add(next);
      } while (next.pid() != pid && all.size() < 8);
      assertThat(next.pid()).as("recycled").isEqualTo(pid);
      assertBeginsWithNothing(next);
      all.forEach(Stub::close);
    }
  }

  private static void assertBeginsWithNothing(Stub stub) {
    stub.run(
        guest -> {
          assertZero(guest.save(), 0, FLAGS_ALWAYS);
          IdleStubIT.assertInitialVectors(guest.vectorState());
          guest.registers().rip(CODE);
          assertThat(((Trap.SystemCall) guest.resume()).arguments()).containsOnly(0);
          assertThat(guest.registers().rax()).isEqualTo(-Errno.ENOSYS);
          assertThat(guest.registers().rcx()).isEqualTo(CALLED);
          assertThat(guest.registers().r11()).isEqualTo(FLAGS_ALWAYS);
          guest.registers().rax(0).rcx(0).r11(0);
          assertZero(guest.save(), CALLED, FLAGS_ALWAYS);
          IdleStubIT.assertInitialVectors(guest.vectorState());
          return null;
        });
  }

  private static void assertZero(GuestState state, long rip, long flags) {
    long[] words = new long[Abi.REGS_SIZE / Long.BYTES];
    words[Abi.REGS_rip / Long.BYTES] = rip;
    words[Abi.REGS_eflags / Long.BYTES] = flags;
    words[Abi.REGS_cs / Long.BYTES] = 0x33;
    words[Abi.REGS_ss / Long.BYTES] = 0x2b;
    assertThat(state.words()).containsExactly(words);
  }

  /** Without them a selector that is not 0 brings its own base. */
  private static boolean hasBaseInstructions() {
    return GuestCode.has("fsgsbase");
  }
}
