package dev.stubpool;

import static dev.stubpool.IdleStubIT.mappingsBesidesTheImage;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.support.NativeCpu;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * Instructions in hex, run in the one stub of a pool; traps in words; and what must hold of a stub
 * whatever was run in it.
 */
final class GuestCode implements AutoCloseable {
  /** One page of instructions; behind those that were loaded int3. */
  static final long CODE = 0x10_0000;

  /** One page that can be written, with nothing around it; rdi of a new guest. */
  static final long DATA = 0x20_0000;

  /** The middle of two pages that can be written; rsp of a new guest. */
  static final long STACK = 0x30_1000;

  /** Where injections map things. */
  private static final long SPARE = 0x40_0000;

  /** Where the vDSO was unmapped, and the kernel still lets 32-bit system calls return to. */
  private static final long VDSO = 0x1000_0000;

  /** In the layout of XSAVE. */
  private static final int XMM1 = 176;

  private static final int XSTATE_BV = 512;

  private static final int AUDIT_ARCH_I386 = 0x4000_0003;
  private static final int X32_BIT = 0x4000_0000;
  private static final int BREAKPOINT = 3;
  private static final int PAGE_FAULT = 14;
  private static final int PAGE = AddressSpace.PAGE_SIZE;
  private static final int NUMBER = 0x777;
  private static final Duration LIMIT = Duration.ofSeconds(20);

  /** push 0x23; lea rax, [rip + 3]; push rax; retfq: goes on in 32-bit code. */
  static final String TO_32_BITS = "6a23 488d0503000000 50 48cb";

  /** pushf; or [rsp], FLAGS; popf. */
  static String setFlags(int flags) {
    return "9c 810c24" + littleEndian(flags, 4) + "9d";
  }

  static String littleEndian(long value, int bytes) {
    byte[] all = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      all[i] = (byte) (value >>> (8 * i));
    }
    return HexFormat.of().formatHex(all);
  }

  final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("guest code").minIdle(0).maxStubs(1).build());

  Stub stub = pool.acquire();

  /** This JVM's, the pool's among them. */
  private final Set<Integer> childrenBefore = Proc.children();

  /** Puts instructions at the beginning of a page of their own, and int3 behind them. */
  void load(long page, String hex) {
    load(page, 0, hex);
  }

  void load(long page, int offset, String hex) {
    byte[] bytes = new byte[PAGE];
    Arrays.fill(bytes, (byte) 0xcc);
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    System.arraycopy(code, 0, bytes, offset, code.length);
    stub.memory().mapAnonymous(page, PAGE, Protection.READ_WRITE);
    stub.memory().write(page, bytes);
    stub.memory().protect(page, PAGE, Protection.READ_EXECUTE);
  }

  /** Runs instructions that were written to {@link #CODE}, with data and a stack. */
  <X extends Exception> void run(String hex, GuestProgram<Void, X> program) throws X {
    load(CODE, hex);
    stub.memory().mapAnonymous(DATA, PAGE, Protection.READ_WRITE);
    stub.memory().mapAnonymous(STACK - PAGE, 2 * PAGE, Protection.READ_WRITE);
    again(program);
  }

  /** Runs what is there in a new guest. */
  <X extends Exception> void again(GuestProgram<Void, X> program) throws X {
    stub.<Void, X>run(
        guest -> {
          guest.registers().rip(CODE).rdi(DATA).rsp(STACK);
          guest.vectorState(unusual(guest.vectorState()));
          return program.run(guest);
        },
        LIMIT);
  }

  /** All of xmm but the first, which may be divided by itself. */
  private static MemorySegment unusual(MemorySegment vectorState) {
    MemorySegment copy = MemorySegment.ofArray(vectorState.toArray(ValueLayout.JAVA_BYTE));
    copy.asSlice(XMM1, 15 * 16).fill((byte) 0xa5);
    copy.set(
        ValueLayout.JAVA_BYTE, XSTATE_BV, (byte) (copy.get(ValueLayout.JAVA_BYTE, XSTATE_BV) | 2));
    return copy;
  }

  /** Resumes a guest: why it stopped, and where. */
  static String resume(Guest guest) {
    return words(guest, guest.resume());
  }

  static String step(Guest guest) {
    return words(guest, guest.step());
  }

  /** A trap in words, with rip; {@code +5} is {@link #CODE} + 5, vdso where that was once. */
  static String words(Guest guest, Trap trap) {
    String what =
        switch (trap) {
          case Trap.SystemCall call -> call.abi() + " " + call.number();
          case Trap.Fault fault -> words(fault);
          case Trap.Step _ -> "STEP";
          case Trap.Breakpoint breakpoint ->
              "BREAK " + breakpoint.slots() + " " + breakpoint.code();
          case Trap.Interrupted _ -> "INTERRUPTED";
          case Trap.Died died -> throw new AssertionError("the stub " + died.how());
        };
    return what + " " + place(guest.registers().rip());
  }

  /** Signal, code and address, - if there is none. */
  static String words(Trap.Fault fault) {
    String address = fault.address().isPresent() ? place(fault.address().getAsLong()) : "-";
    return name(fault.signal()) + " " + fault.code() + " " + address;
  }

  private static String name(int signal) {
    return switch (signal) {
      case Abi.SIGSEGV -> "SEGV";
      case Abi.SIGBUS -> "BUS";
      case Abi.SIGILL -> "ILL";
      case Abi.SIGFPE -> "FPE";
      default -> "signal " + signal;
    };
  }

  private static String place(long address) {
    boolean inCode = address >= CODE && address <= CODE + PAGE;
    boolean inVdso = address >= VDSO && address < VDSO + 16 * PAGE;
    return inCode
        ? "+" + (address - CODE)
        : (inVdso ? "vdso+0x" : "0x") + Long.toHexString(inVdso ? address - VDSO : address);
  }

  /**
   * What instructions do in an ordinary process on this machine.
   *
   * @param words as {@link #words(Guest, Trap)} has them of a guest's trap
   * @param details of a fault; the address is 0 if it is none of memory
   */
  record Natively(String words, FaultDetails details) {
    private static Natively of(NativeCpu.Signal signal) {
      String what =
          switch (signal.signal()) {
            case Abi.SIGSYS -> call(signal.architecture(), signal.number());
            case Abi.SIGTRAP ->
                switch (signal.code()) {
                  case Abi.TRAP_TRACE -> "STEP";
                  case Abi.TRAP_HWBKPT -> "BREAK 1 " + signal.code(); // there is but one
                  default -> "BREAK 0 " + signal.code();
                };
            default ->
                name(signal.signal())
                    + " "
                    + signal.code()
                    + " "
                    + (signal.code() == Abi.SI_KERNEL ? "-" : place(signal.address()));
          };
      return new Natively(
          what + " " + place(signal.rip()), details(signal.trap(), signal.error(), signal.cr2()));
    }

    private static String call(int architecture, int number) {
      if (architecture == AUDIT_ARCH_I386) {
        return SystemCallAbi.I386 + " " + number;
      }
      boolean x32 = number >= 0 && (number & X32_BIT) != 0;
      return x32
          ? SystemCallAbi.X32 + " " + (number & ~X32_BIT)
          : SystemCallAbi.X86_64 + " " + number;
    }

    /** Without cr2 where that is of an earlier fault. */
    private static FaultDetails details(int trap, long error, long cr2) {
      return new FaultDetails(trap, error, trap == PAGE_FAULT ? cr2 : 0);
    }

    /** Compares a guest's trap with it, and does to the guest whatever can be done meanwhile. */
    void check(GuestCode code, Guest guest, Trap got) {
      assertThat(GuestCode.words(guest, got)).isEqualTo(words);
      if (got instanceof Trap.Fault fault) {
        FaultDetails seen = code.checkFault(guest, fault);
        // After an int3 the kernel raised this without an exception that it keeps, as for tiles
        // without permission (arch/x86/kernel/traps.c, handle_xfd_event): it says nothing.
        if (details.trap() != BREAKPOINT) {
          assertThat(details(seen.trap(), seen.error(), seen.address())).isEqualTo(details);
        }
      } else {
        checkInjection(guest.memory());
      }
    }
  }

  /**
   * Runs instructions in an ordinary process, which finds the memory and registers of a guest of
   * {@link #run}, to the first fault or int3.
   *
   * @param options of {@link NativeCpu#run}
   */
  static List<Natively> natively(String hex, String... options) {
    return NativeCpu.run(hex, options).stream().map(Natively::of).toList();
  }

  /**
   * Has all done to a guest stopped for a fault that can be done to it, and shows that its
   * registers, read anew, are what they were; the fault repeats itself.
   */
  FaultDetails checkFault(Guest guest, Trap.Fault fault) {
    String before = words(guest, fault);
    GuestState state = guest.save();
    FaultDetails details = guest.examine(fault);
    assertThat(guest.examine(fault)).isEqualTo(details);
    assertThat(resume(guest)).isEqualTo(before);
    assertSame(guest.save(), state);
    checkInjection(guest.memory());
    assertThat(resume(guest)).isEqualTo(before);
    assertSame(guest.save(), state);
    return details;
  }

  static void assertSame(GuestState now, GuestState before) {
    assertThat(now.words()).isEqualTo(before.words());
    assertThat(now.vectorState()).isEqualTo(before.vectorState());
  }

  static void checkInjection(StubMemory memory) {
    memory.mapAnonymous(SPARE, PAGE, Protection.READ_WRITE);
    memory.write(SPARE, new byte[] {1});
    memory.unmap(SPARE, PAGE);
  }

  /**
   * Shows that the stub is as good as any: nothing was made, calls and guests run in it, and it
   * recycles; {@link #stub} is the next lease of it.
   */
  void checkStub() {
    int pid = stub.pid();
    try {
      assertThat(Proc.status(pid, "Threads")).isEqualTo("1");
      assertThat(children(pid)).isEmpty();
      assertThat(Proc.children()).isEqualTo(childrenBefore);
      checkInjection(stub.memory());
      stub.memory().unmap(STACK - PAGE, 2 * PAGE);
      stub.<Void, RuntimeException>run(
          guest -> {
            load(CODE, "0f05 8807"); // syscall; mov [rdi], al
            assertThat(guest.segments().fsBase()).isZero();
            assertThat(guest.segments().gsBase()).isZero();
            guest.registers().rip(CODE).rax(NUMBER).rdi(DATA);
            assertThat(resume(guest)).isEqualTo("X86_64 " + NUMBER + " +2");
            guest.memory().mapAnonymous(DATA, PAGE, Protection.READ_WRITE);
            guest.complete(42);
            assertThat(resume(guest)).isEqualTo("BREAK 0 128 +5");
            assertThat(guest.memory().read(DATA, 1)).containsExactly(42);
            return null;
          },
          LIMIT);
    } finally {
      renew();
    }
    assertThat(stub.pid()).isEqualTo(pid);
  }

  /** Gives the stub back, and takes the next. */
  void renew() {
    stub.close();
    stub = pool.acquire();
    assertThat(mappingsBesidesTheImage(pool, stub.pid())).isEmpty();
  }

  private static List<String> children(int pid) {
    try {
      return Files.readAllLines(Path.of("/proc/" + pid + "/task/" + pid + "/children"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Leases a stub that has code, of at most a page, at an address. */
  static Stub load(StubPool pool, long address, byte[] code) {
    Stub stub = pool.acquire();
    stub.memory().mapAnonymous(address, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    stub.memory().write(address, code);
    stub.memory().protect(address, AddressSpace.PAGE_SIZE, Protection.READ_EXECUTE);
    return stub;
  }

  /** Whether the kernel has this CPU feature in use, as /proc/cpuinfo names it; says if not. */
  static boolean has(String feature) {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      boolean has =
          lines
              .filter(line -> line.startsWith("flags"))
              .limit(1)
              .anyMatch(line -> List.of(line.split(" ", -1)).contains(feature));
      if (!has) {
        System.out.println("not tested: this machine has no " + feature);
      }
      return has;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    pool.close();
    assertThat(Proc.stubs()).isEmpty();
  }
}
