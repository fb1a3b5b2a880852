package dev.stubpool;

import static dev.stubpool.GuestCode.CODE;
import static dev.stubpool.GuestCode.DATA;
import static dev.stubpool.GuestCode.STACK;
import static dev.stubpool.GuestCode.TO_32_BITS;
import static dev.stubpool.GuestCode.resume;
import static dev.stubpool.GuestCode.setFlags;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.stubpool.GuestCode.Natively;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.nativestubs.proc.ProcMaps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Guests that do what no compiler emits: each is contained, and its stub is as good as before. */
class GuestHostileIT {
  private static GuestCode code;

  private static final int TRAP_FLAG = 0x100;

  /** In a table of traps: whatever an ordinary process shows. */
  private static final String CPU = "CPU";

  @BeforeAll
  static void open() {
    code = new GuestCode();
  }

  @AfterAll
  static void close() {
    code.close();
  }

  @AfterEach
  void check() {
    code.checkStub();
  }

  private static void expect(Guest guest, String traps) {
    for (String trap : traps.split(",", -1)) {
      Trap got = guest.resume();
      assertThat(GuestCode.words(guest, got)).as(traps).isEqualTo(trap.strip());
      if (got instanceof Trap.Fault fault) {
        code.checkFault(guest, fault);
      } else {
        GuestCode.checkInjection(guest.memory());
      }
    }
  }

  /**
   * Runs instructions in a guest and in an ordinary process: the guest's traps must be the
   * process's, to the first fault or int3.
   *
   * @param traps those that every CPU has to begin with; {@link #CPU} if that is the CPU's choice
   */
  private static void expectAsNatively(String hex, String traps, String... options) {
    expectAsNatively(hex, traps, _ -> {}, options);
  }

  /** The same in a guest that is prepared as {@code options} prepare the process. */
  private static void expectAsNatively(
      String hex, String traps, Consumer<Guest> prepare, String... options) {
    List<Natively> natively = GuestCode.natively(hex, options);
    if (!traps.equals(CPU)) {
      assertThat(natively.stream().map(Natively::words))
          .as("in an ordinary process")
          .startsWith(
              Arrays.stream(traps.split(",", -1)).map(String::strip).toArray(String[]::new));
    }
    code.run(
        hex,
        guest -> {
          prepare.accept(guest);
          for (Natively trap : natively) {
            trap.check(code, guest, guest.resume());
          }
          return null;
        });
  }

  /**
   * What is the CPU's choice:
   *
   * <ul>
   *   <li>sgdt: #GP with UMIP (Intel SDM volume 2, SGDT; AMD APM volume 3, SGDT), which Linux
   *       emulates or not.
   *   <li>icebp: a trap, but hypervisors that intercept it have reported it as a fault (Intel SDM
   *       volume 2, INT1; AMD APM volume 2, Instruction Intercepts).
   *   <li>sysenter: #UD in long mode on AMD (APM volume 3, SYSENTER), a system call of 32-bit code
   *       on Intel (SDM volume 2, SYSENTER), which goes on where the vDSO was.
   *   <li>iretq to nowhere: in which order it pops is the CPU's.
   *   <li>tilezero: #NM without permission, or #UD where the CPU has no AMX.
   *   <li>split lock: #AC, or a trap of the bus lock, where the kernel enabled that (Intel SDM
   *       volume 3, Bus Locks; AMD APM volume 2, Bus Lock Trap).
   *   <li>rsp = 2^55: canonical with five levels of page tables (Intel SDM volume 3, LA57).
   *   <li>kernel half: #PF, or #GP and #SS with linear address-space separation (Intel SDM volume
   *       3, LASS).
   * </ul>
   */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          hlt                        | f4                            | SEGV 128 - +0
          cli                        | fa                            | SEGV 128 - +0
          in                         | ec                            | SEGV 128 - +0
          out                        | ee                            | SEGV 128 - +0
          rdmsr                      | 0f32                          | SEGV 128 - +0
          wrmsr                      | 0f30                          | SEGV 128 - +0
          swapgs                     | 0f01f8                        | SEGV 128 - +0
          mov rax, cr0               | 0f20c0                        | SEGV 128 - +0
          mov rax, dr7               | 0f21f8                        | SEGV 128 - +0
          lgdt [rdi]                 | 0f0117                        | SEGV 128 - +0
          lldt ax                    | 0f00d0                        | SEGV 128 - +0
          clac                       | 0f01ca                        | ILL 2 +0 +0
          xsetbv                     | 0f01d1                        | SEGV 128 - +0
          sgdt [rdi]                 | 0f0107                        | CPU
          ud2                        | 0f0b                          | ILL 2 +0 +0
          int3                       | cc                            | BREAK 0 128 +1
          int 3                      | cd03                          | BREAK 0 128 +2
          int 1                      | cd01                          | SEGV 128 - +0
          int 14                     | cd0e                          | SEGV 128 - +0
          icebp                      | f1 90                         | CPU
          int 0x80                   | b814000000 cd80               | I386 20 +7
          int 0x80 of -1             | 48c7c0ffffffff cd80           | I386 -1 +9
          int 0x80 of bit 30         | b814000040 cd80               | I386 1073741844 +7
          syscall of -1              | 48c7c0ffffffff 0f05           | X86_64 -1 +9
          syscall of 2^32 - 1        | b8ffffffff 0f05               | X86_64 -1 +7
          syscall of 2^32 + 39       | 48b82700000001000000 0f05     | X86_64 39 +12
          syscall of 2^63            | 48b80000000000000080 0f05     | X86_64 0 +12
          x32 call                   | b827000040 0f05               | X32 39 +7
          x32 call, highest          | b8ffffff7f 0f05               | X32 1073741823 +7
          sysenter                   | b814000000 4889e5 0f34        | CPU
          sysenter, rbp nowhere      | b814000000 0f34               | CPU
          ds = 0x10                  | b810000000 8ed8               | SEGV 128 - +5
          ss = 0                     | 31c0 8ed0                     | SEGV 128 - +2
          ss = 0x33                  | b833000000 8ed0               | SEGV 128 - +5
          fs = 0x10, popped          | 6a10 0fa1                     | SEGV 128 - +2
          gs of the LDT              | 6a0f 0fa9                     | SEGV 128 - +2
          es = 0xffff                | b8ffff0000 8ec0               | SEGV 128 - +5
          cs by mov                  | 8ec8                          | ILL 2 +0 +0
          null selectors             | 31c0 8ed8 8ec0 8ee0 8ee8      | BREAK 0 128 +11
          far return to ring 0       | 6a10 50 48cb                  | SEGV 128 - +3
          iretq to nowhere           | 31e4 48cf                     | CPU
          iretq to ring 0            | 6a18 54 9c 6a10 50 48cf       | SEGV 128 - +7
          iretq to 32-bit code       | 6a2b 54 9c 6a23 488d0503000000 50 48cf cd80 | I386 1048592 +18
          far jump to 32-bit code    | c7070e001000 66c747042300 ff2f cd80 | I386 0 +16
          division by 0              | f7f1                          | FPE 1 +0 +0
          xrstor, reserved bits      | c7870402000000000040 6a07 5831d2 0fae2f | SEGV 128 - +15
          mxcsr, reserved bits       | c707ffffffff 0fae17           | SEGV 128 - +6
          tilezero                   | c60701 c6471040 c6473001 c4e2784907 c4e27b49c0 | CPU
          split lock                 | f0ff473e                      | CPU
          mov ss, int3               | b82b000000 8ed0 cc            | BREAK 0 128 +8
          mov ss, syscall            | b82b000000 8ed0 0f05          | X86_64 43 +9
          push, rsp = 2^55           | 48bc0000000000008000 50       | CPU
          push, rsp not canonical    | 48bc0000000000000080 50       | BUS 128 - +10
          push, rsp in kernel half   | 48c7c40000ffff 50             | CPU
          jump to the kernel         | 48c7c00000ffff ffe0           | CPU
          """)
  void shouldContainInstructions(String name, String hex, String traps) {
    expectAsNatively(hex, traps);
  }

  /**
   * What is the CPU's choice:
   *
   * <ul>
   *   <li>syscall: a system call of compatibility mode on AMD (APM volume 3, SYSCALL), #UD on Intel
   *       (SDM volume 2, SYSCALL). Linux has it return to the landing pad of the vDSO's 32-bit
   *       half, computed from the last address that the vDSO had: the process moves and unmaps its
   *       own like a source stub, so that the addresses must be the same too.
   *   <li>sysenter: the other way round, and returns there too.
   *   <li>icebp: as above.
   *   <li>wrap around: an access past 4 GiB of a segment whose limit is 4 GiB - 1 "may or may not"
   *       violate the limit on Intel (SDM volume 3, Limit Checking), where the rest was seen to be
   *       taken from address 0; on AMD it does (APM volume 2, Limit Checks).
   * </ul>
   */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          int 0x80        | b814000000 cd80          | I386 20 +19
          syscall         | b814000000 0f05          | CPU
          syscall, esp    | b814000000 31e4 0f05     | CPU
          sysenter        | b814000000 89e5 0f34     | CPU
          sysenter, ebp   | b814000000 31ed 0f34     | CPU
          hlt             | f4                       | SEGV 128 - +12
          int3            | cc                       | BREAK 0 128 +13
          icebp           | f1 90                    | CPU
          ds = 0, read    | a100803000               | SEGV 128 - +12
          ds, read        | 6a2b 1f a100803000       | SEGV 1 0x308000 +15
          wrap around     | 6a2b 1f a1fdffffff       | CPU
          bound           | 6a2b 1f 31c0 48 6207     | SEGV 128 - +18
          les             | 6a2b 1f c407             | BREAK 0 128 +18
          cs = 0          | 6a00 6a00 cb             | SEGV 128 - +16
          call gate       | 9a 00000000 1000         | SEGV 128 - +12
          iret to 64 bits | 9c 6a33 6815001000 cf    | BREAK 0 128 +22
          back to 64 bits | ea 13001000 3300 0f05    | X86_64 1048588 +21
          """)
  void shouldContain32BitCode(String name, String hex, String traps) {
    expectAsNatively(TO_32_BITS + hex, traps);
  }

  /** These two trap behind the instruction, so they do not repeat themselves. */
  @ParameterizedTest
  @CsvSource({"cd04, 2", TO_32_BITS + "b07f 0401 ce, 17"}) // int 4; add al, 1; into
  void shouldContainOverflow(String hex, int end) {
    code.run(
        hex,
        guest -> {
          Trap.Fault fault = (Trap.Fault) guest.resume();
          Natively natively = GuestCode.natively(hex).getFirst();
          assertThat(natively.words()).isEqualTo("SEGV 128 - +" + end);
          assertThat(GuestCode.words(guest, fault)).isEqualTo(natively.words());
          FaultDetails details = guest.examine(fault);
          assertThat(details.trap()).isEqualTo(4).isEqualTo(natively.details().trap());
          assertThat(details.error()).isEqualTo(natively.details().error());
          expect(guest, "BREAK 0 128 +" + (end + 1));
          return null;
        });
  }

  // ---- segments ----

  @Test
  void shouldGoOnWithStateOf32BitCode() {
    code.run(
        TO_32_BITS + "6a2b 1f cd80 8907 cd80", // ds = 0x2b; int 0x80; mov [edi], eax; int 0x80
        guest -> {
          guest.registers().rbx(0x1234_5678_9abc_def0L).rcx(-1);
          Trap.SystemCall call = (Trap.SystemCall) guest.resume();
          assertThat(call.abi()).isEqualTo(SystemCallAbi.I386);
          assertThat(call.argument(0)).isEqualTo(0x9abc_def0L);
          assertThat(call.argument(1)).isEqualTo(0xffff_ffffL);
          assertThat(guest.registers().cs()).isEqualTo(0x23);
          GuestState state = guest.save();
          GuestCode.checkInjection(guest.memory());
          guest.complete(42);
          expect(guest, "I386 42 +21");
          assertThat(guest.memory().read(DATA, 1)).containsExactly(42);
          guest.restore(state);
          guest.registers().rax(43);
          assertThat(resume(guest)).isEqualTo("I386 43 +21");
          guest.restore(state); // from 64-bit code
          guest.registers().cs(0x33).rip(CODE + 15); // int 0x80
          assertThat(resume(guest)).isEqualTo("I386 -38 +17");
          guest.restore(state);
          assertThat(resume(guest)).isEqualTo("I386 -38 +21");
          assertThat(guest.registers().cs()).isEqualTo(0x23);
          assertThat(guest.segments().ds()).isEqualTo(0x2b);
          return null;
        });
  }

  /** With a signal pending the kernel would make such a call again. */
  @ParameterizedTest
  @ValueSource(longs = {-512, -513, -514, -516, 0xffff_fe00L, 0xffff_fdffL, 0xffff_fdfcL})
  void shouldGiveAnyResultTo32BitCalls(long result) {
    code.run(
        "cd80",
        guest -> {
          guest.registers().rax(20);
          assertThat(resume(guest)).isEqualTo("I386 20 +2");
          ProcessCalls.signalThread(code.stub.pid(), guestThread(), Abi.SIGURG);
          guest.complete(result);
          assertThat(resume(guest)).isEqualTo("BREAK 0 128 +3");
          assertThat(guest.registers().rax()).isEqualTo(result);
          return null;
        });
  }

  private static int guestThread() {
    int pid = code.stub.pid();
    return Arrays.stream(ProcessCalls.threads(pid))
        .filter(tid -> tid != pid)
        .findAny()
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"f3480faed0", "f3480faed8"}) // wrfsbase rax; wrgsbase rax
  void shouldLiveWithBasesInTheKernelHalf(String write) {
    Assumptions.assumeTrue(GuestCode.has("fsgsbase"));
    long base = 0xffff_8000_0000_1000L;
    boolean fs = write.endsWith("d0");
    String read = (fs ? "64" : "65") + "8a042500000000";
    // In the process the read is where it is in the guest.
    Natively natively =
        GuestCode.natively(write + "eb07 90909090909090" + read, "rax=0x" + Long.toHexString(base))
            .getFirst();
    code.run(
        write + "0f05 8a0425 00000000 " + read,
        guest -> {
          guest.registers().rax(base);
          assertThat(resume(guest)).isEqualTo("X86_64 4096 +7");
          X86Segments segments = guest.segments();
          assertThat(fs ? segments.fsBase() : segments.gsBase()).isEqualTo(base);
          GuestState state = guest.save();
          guest.complete(0);
          GuestCode.checkInjection(guest.memory());
          expect(guest, "SEGV 1 0x0 +7");
          guest.registers().rip(CODE + 14);
          natively.check(code, guest, guest.resume());
          assertThatIllegalArgumentException()
              .isThrownBy(() -> guest.restore(state))
              .withMessageContaining((fs ? "fs" : "gs") + " base 0x" + Long.toHexString(base));
          assertThat(fs ? segments.fsBase() : segments.gsBase()).isEqualTo(base);
          segments.fsBase(DATA).gsBase(DATA);
          assertThat(resume(guest)).isEqualTo("BREAK 0 128 +23");
          return null;
        });
    code.again(
        guest -> {
          guest.registers().rax(base);
          expect(guest, "X86_64 4096 +7"); // and ends with it
          return null;
        });
  }

  @Test
  void shouldRefuseSelectorsThatTheKernelWould() {
    code.run(
        "",
        guest -> {
          for (int selector : new int[] {-1, 0x10, 0x2a, 0x28, 1, 0x1_0023}) {
            X86Registers registers = guest.registers();
            X86Segments segments = guest.segments();
            for (ThrowingCallable set :
                List.<ThrowingCallable>of(
                    () -> registers.cs(selector),
                    () -> registers.ss(selector),
                    () -> segments.ds(selector),
                    () -> segments.es(selector),
                    () -> segments.fs(selector),
                    () -> segments.gs(selector))) {
              assertThatIllegalArgumentException()
                  .isThrownBy(set)
                  .withMessageContaining(Integer.toHexString(selector));
            }
          }
          expect(guest, "BREAK 0 128 +1");
          return null;
        });
  }

  /**
   * Selectors that the kernel takes, and the CPU does not. Which exception a bad ss is, depends on
   * what the kernel has at that place of its descriptor table: #GP, #NP or #SS.
   */
  @ParameterizedTest
  @ValueSource(ints = {3, 7, 0x1b, 0x2b, 0x63, 0x7b, 0xffff})
  void shouldFaultBySelectorsOfNoUse(int selector) {
    String hex = "0f05 90 90";
    Natively badCode = GuestCode.natively(hex, "cs=" + selector).getFirst();
    assertThat(badCode.words()).isEqualTo("SEGV 128 - +0");
    Natively badStack = GuestCode.natively(hex, "ss=" + selector).getFirst();
    code.run(
        hex,
        guest -> {
          guest.registers().cs(selector);
          badCode.check(code, guest, guest.resume());
          guest.registers().cs(0x33).ss(selector);
          badStack.check(code, guest, guest.resume());
          guest.registers().rip(CODE).rax(0).ss(0x2b);
          expect(guest, "X86_64 0 +2");
          // The kernel puts 0 in place of data segments that cannot be loaded.
          guest.segments().ds(selector).es(selector).fs(selector).gs(selector);
          expect(guest, "BREAK 0 128 +5");
          return null;
        });
  }

  // ---- flags ----

  @Test
  void shouldStepAGuestThatSetsItsTrapFlag() {
    String hex = setFlags(TRAP_FLAG) + "90 0f05 90 b82b000000 8ed0 cc 8ed0 0f05 f4";
    assertThat(GuestCode.natively(hex).stream().map(Natively::words))
        .containsExactly("STEP +10", "X86_64 0 +12", "STEP +13", "STEP +18", "BREAK 0 128 +21");
    code.run(
        hex,
        guest -> {
          expect(guest, "STEP +10, X86_64 0 +12");
          assertThat(guest.registers().flags() & TRAP_FLAG).isNotZero();
          guest.complete(1);
          expect(guest, "STEP +13, STEP +18"); // trapped behind the instruction after the call
          assertThat(guest.registers().flags() & TRAP_FLAG).isNotZero();
          expect(guest, "BREAK 0 128 +21"); // mov ss holds the trap off
          return null;
        });
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "DF, 0x400",
    "NT, 0x4000",
    "AC, 0x40000",
    "ID, 0x200000",
    "all, 0x244cd5",
  })
  void shouldKeepFlags(String name, int flags) {
    // syscall; pushf; pop rcx; mov [rdi], rcx; syscall
    code.run(
        setFlags(flags) + "0f05 9c 59 48890f 0f05",
        guest -> {
          assertThat(resume(guest)).isEqualTo("X86_64 0 +11");
          assertThat(guest.registers().flags() & flags).isEqualTo(flags);
          GuestCode.checkInjection(guest.memory());
          assertThat(resume(guest)).isEqualTo("X86_64 -38 +18");
          assertThat(guest.registers().rcx()).isEqualTo(CODE + 18);
          GuestCode.checkInjection(guest.memory());
          byte[] pushed = guest.memory().read(DATA, 4);
          assertThat(ByteBuffer.wrap(pushed).order(ByteOrder.LITTLE_ENDIAN).getInt() & flags)
              .isEqualTo(flags);
          return null;
        });
  }

  @Test
  void shouldSetFlagsThatAreTheCallers() {
    code.run(
        "90 0f05",
        guest -> {
          guest.breakpoint(0, CODE, Guest.BreakpointKind.EXECUTE, 1);
          guest.registers().flags(0x257fd7 & ~TRAP_FLAG);
          expect(guest, "X86_64 0 +3"); // by RF past the breakpoint, though SETREGS was called
          // ID, IOPL and IF are not the caller's, and RF holds for one instruction.
          assertThat(guest.registers().flags()).isEqualTo(0x44ed7);
          guest.registers().flags(0x202).rip(CODE);
          expect(guest, "BREAK 1 4 +0");
          return null;
        });
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          alignment check              | 0x40000 | 8b4701                   | BUS 1 0x0 +9
          iretq in a nested task       | 0x4000  | 48cf                     | SEGV 128 - +9
          alignment check and sysenter | 0x40000 | 89e5 b814000000 0f34     | CPU
          trap flag and sysenter       | 0x100   | 89e5 b814000000 0f34     | STEP +11, STEP +16
          trap flag and int 0x80       | 0x100   | cd80 90 90               | I386 0 +11, STEP +12
          """)
  void shouldContainInstructionsUnderFlags(String name, int flags, String hex, String traps) {
    expectAsNatively(setFlags(flags) + hex, traps);
  }

  /**
   * A trap that mov ss holds off must not come inside the kernel, but for the call to be made.
   * Whether it comes after the next instruction, or never, is the CPU's choice (Intel SDM volume 3,
   * Masking Exceptions and Interrupts When Switching Stacks; AMD APM volume 2, Debug-Exception
   * Vector 1).
   */
  @ParameterizedTest
  @CsvSource({
    "8e17 cc, CPU",
    "8e17 0f05 90, CPU",
    "8e17 cd80 90, CPU",
    "8e17 90 90, CPU",
    "8a07 90, BREAK 1 4 +2"
  })
  void shouldContainWatchedStackSegments(String hex, String traps) {
    String write = "c6072b ";
    String rest = hex.replace(" ", "");
    expectAsNatively(
        write + rest,
        traps.equals(CPU) ? CPU : "BREAK 1 4 +3, BREAK 1 4 +5",
        guest -> guest.breakpoint(0, DATA, Guest.BreakpointKind.ACCESS, 2),
        "watch=2");
  }

  @Test
  void shouldKeepBreakpointsOverInjections() {
    code.run(
        "c60701 c6470802 90 0f05 c60703 90", // write; write 8 on; nop; syscall; write
        guest -> {
          guest.breakpoint(3, DATA, Guest.BreakpointKind.WRITE, 8);
          guest.breakpoint(2, DATA + 8, Guest.BreakpointKind.WRITE, 1);
          guest.breakpoint(1, CODE + 8, Guest.BreakpointKind.EXECUTE, 1);
          GuestCode.checkInjection(guest.memory());
          expect(guest, "BREAK 8 4 +3, BREAK 4 4 +7, BREAK 2 4 +8, X86_64 0 +10");
          guest.memory().write(DATA, new byte[8]); // by another process
          expect(guest, "BREAK 8 4 +13");
          guest.registers().rip(CODE);
          guest.memory().protect(DATA, 4096, Protection.READ);
          Trap.Fault fault = (Trap.Fault) guest.resume();
          code.checkFault(guest, fault);
          guest.memory().protect(DATA, 4096, Protection.READ_WRITE);
          expect(guest, "BREAK 8 4 +3");
          guest.clearBreakpoint(3);
          guest.clearBreakpoint(2);
          guest.clearBreakpoint(1);
          guest.registers().rip(CODE).rax(0);
          expect(guest, "X86_64 0 +10, BREAK 0 128 +15");
          guest.breakpoint(0, DATA, Guest.BreakpointKind.ACCESS, 8);
          return null;
        });
    code.again(
        guest -> {
          expect(guest, "X86_64 0 +10, BREAK 0 128 +15"); // the other guest's are gone
          return null;
        });
  }

  @Test
  void shouldTellABreakpointThatAStepHits() {
    code.run(
        "c60701 90",
        guest -> {
          guest.breakpoint(2, DATA, Guest.BreakpointKind.WRITE, 1);
          assertThat(GuestCode.step(guest)).isEqualTo("BREAK 4 2 +3");
          assertThat(GuestCode.step(guest)).isEqualTo("STEP +4");
          return null;
        });
  }

  // ---- places ----

  @Test
  void shouldMakeNoCallInTheImage() throws IOException {
    long image = StubImage.get().base();
    Random random = new Random(1);
    long[] likely = {
      image,
      image + Abi.IMAGE_STUB_SIZE,
      DATA,
      CODE,
      STACK,
      0,
      1,
      -1,
      Abi.SYS_clone,
      Abi.SYS_exit,
      Abi.SYS_mmap,
      Abi.SYS_munmap,
      Abi.SYS_futex,
      Abi.SYS_prctl,
      Abi.GUEST_THREAD_FLAGS,
      Abi.CHILD_STUB_FLAGS,
      Abi.PR_SET_PDEATHSIG,
      Abi.SIGKILL,
      Abi.MAP_FIXED,
      4096
    };
    LongSupplier any =
        () -> random.nextInt(4) == 0 ? random.nextLong() : likely[random.nextInt(likely.length)];
    code.run(
        "41ffe7", // jmp r15
        guest -> {
          List<ProcMaps.Mapping> before = ProcMaps.of(code.stub.pid());
          int calls = 0;
          for (int offset = 0; offset < Abi.IMAGE_STUB_SIZE; offset++) {
            for (boolean jumps : new boolean[] {false, true}) {
              guest
                  .registers()
                  .rax(any.getAsLong())
                  .rbx(any.getAsLong())
                  .rcx(any.getAsLong())
                  .rdx(any.getAsLong())
                  .rsi(any.getAsLong())
                  .rdi(any.getAsLong())
                  .rbp(any.getAsLong())
                  .rsp(any.getAsLong())
                  .r8(any.getAsLong())
                  .r9(any.getAsLong())
                  .r10(any.getAsLong())
                  .r11(any.getAsLong())
                  .r12(any.getAsLong())
                  .r13(any.getAsLong())
                  .r14(any.getAsLong())
                  .r15(jumps ? image + offset : any.getAsLong())
                  .rip(jumps ? CODE : image + offset)
                  .flags(0x202)
                  .cs(0x33)
                  .ss(0x2b);
              for (int i = 0; i < 3; i++) {
                Trap trap = guest.resume();
                if (trap instanceof Trap.SystemCall call) {
                  calls++;
                  guest.complete(call.argument(i)); // whatever it is
                } else {
                  assertThat(trap)
                      .isInstanceOfAny(
                          Trap.Fault.class, Trap.Breakpoint.class, Trap.Step.class); // popf
                  guest.registers().rax(any.getAsLong());
                }
              }
            }
          }
          assertThat(calls).isGreaterThan(100);
          assertThat(ProcMaps.of(code.stub.pid())).isEqualTo(before);
          assertThat(ProcessCalls.threads(code.stub.pid())).hasSize(2);
          return null;
        });
  }

  @ParameterizedTest
  @CsvSource({
    "stub_call, 1 -> 0, BREAK 0 128",
    "stub_first_call, 157 -> 0 110 -> 1 1 -> 5, BREAK 0 128",
    "stub_first_call, 157 -> 0 110 -> 2 60 -> 0, BREAK 0 128",
    "stub_first_call, 157 -> -1, BREAK 0 128",
    "stub_clone_many, 56 -> 7 56 -> 8 56 -> 0, BREAK 0 128",
    "stub_unmap_around, 11 -> 0 11 -> 0, BREAK 0 128",
    "stub_park, 202 -> 0 202 -> -4 202 -> -1, BREAK 0 128",
  })
  void shouldMakeNoneOfTheImagesCalls(String symbol, String calls, String end) throws Exception {
    long entry =
        StubImage.get()
            .address(ImageSymbols.class.getField(symbol.toUpperCase(Locale.ROOT)).getInt(null));
    code.run(
        "",
        guest -> {
          guest.registers().rip(entry).rax(1).rbx(1).r13(3).r14(1);
          Matcher matcher = Pattern.compile("(\\d+) -> (-?\\d+)").matcher(calls);
          while (matcher.find()) {
            assertThat(resume(guest)).startsWith("X86_64 " + matcher.group(1) + " 0x");
            guest.complete(Long.parseLong(matcher.group(2)));
          }
          assertThat(resume(guest)).startsWith(end);
          return null;
        });
  }

  @Test
  void shouldReportCallsAtTheEndOfMemory() {
    long last = code.pool.addressSpace().highest() - 4096;
    for (long page : new long[] {0x50_0000, last}) {
      long end = page + 4096;
      code.load(page, 4094, "0f05");
      code.run(
          "",
          guest -> {
            guest.registers().rip(end - 2).rax(39);
            Trap.SystemCall call = (Trap.SystemCall) guest.resume();
            assertThat(call.number()).isEqualTo(39);
            assertThat(call.instructionPointer()).isEqualTo(end);
            GuestCode.checkInjection(guest.memory());
            String behind = Long.toHexString(end);
            Trap.Fault fault = (Trap.Fault) guest.resume();
            assertThat(GuestCode.words(guest, fault))
                .isEqualTo("SEGV 1 0x%s 0x%s".formatted(behind, behind));
            assertThat(code.checkFault(guest, fault).access()).isEqualTo(Access.EXECUTE);
            guest.registers().rip(end - 2);
            assertThat(GuestCode.step(guest)).isEqualTo("X86_64 -38 0x" + behind);
            return null;
          });
      code.load(page, 4095, "0f");
      code.again(
          guest -> {
            guest.registers().rip(end - 1);
            Trap.Fault fault = (Trap.Fault) guest.resume();
            assertThat(GuestCode.words(guest, fault))
                .isEqualTo("SEGV 1 0x%x 0x%x".formatted(end, end - 1));
            assertThat(code.checkFault(guest, fault).access()).isEqualTo(Access.EXECUTE);
            return null;
          });
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "gettimeofday, 0, 96",
    "time, 0x400, 201",
    "getcpu, 0x800, 309",
  })
  void shouldReportVsyscalls(String name, int offset, int number) throws IOException {
    boolean there = Files.readString(Path.of("/proc/self/maps")).contains("[vsyscall]");
    Assumptions.assumeTrue(there, "this kernel has no vsyscalls");
    long function = 0xffff_ffff_ff60_0000L + offset;
    code.run(
        "ffd0 0f05",
        guest -> {
          guest.registers().rax(function).rsi(STACK).rdx(3).r10(4);
          Trap.SystemCall call = (Trap.SystemCall) guest.resume();
          assertThat(GuestCode.words(guest, call)).isEqualTo("VSYSCALL " + number + " +2");
          assertThat(call.arguments()).containsExactly(DATA, STACK, 3, 0, 0, 0);
          assertThat(guest.registers().rsp()).isEqualTo(STACK);
          GuestCode.checkInjection(guest.memory());
          guest.complete(-513);
          expect(guest, "X86_64 -513 +4");
          guest.registers().rax(function).rip(CODE);
          assertThat(GuestCode.step(guest)).isEqualTo("STEP 0x" + Long.toHexString(function));
          assertThat(GuestCode.step(guest)).isEqualTo("VSYSCALL " + number + " +2");
          // Into the middle of one; with an address in the kernel; with no stack to return by.
          for (long target : new long[] {function + 1, function + 0xc00}) {
            guest.registers().rip(target);
            code.checkFault(guest, (Trap.Fault) guest.resume());
          }
          guest.registers().rip(function).rdi(-4096).rsi(-4096);
          Trap trap = guest.resume();
          if (trap instanceof Trap.Fault fault) {
            code.checkFault(guest, fault);
          }
          guest.registers().rip(function).rdi(DATA).rsi(STACK).rsp(8);
          code.checkFault(guest, (Trap.Fault) guest.resume());
          return null;
        });
  }

  @ParameterizedTest
  @ValueSource(
      longs = {0, 8, 0x1000, -8, 0x8000_0000_0000L, 0x7fff_ffff_f000L, 0xffff_8000_0000_0000L, -1})
  void shouldExamineWhateverTheStackPointerIs(long rsp) {
    AddressSpace space = code.pool.addressSpace();
    long image = StubImage.get().base();
    for (long at : new long[] {rsp, image + rsp % 4096, space.imageEnd() - rsp % 4096}) {
      code.run(
          "8a06",
          guest -> {
            guest.registers().rsp(at).rsi(0x1234);
            Trap.Fault fault = (Trap.Fault) guest.resume();
            assertThat(GuestCode.words(guest, fault)).isEqualTo("SEGV 1 0x1234 +0");
            assertThat(code.checkFault(guest, fault)).isEqualTo(new FaultDetails(14, 4, 0x1234));
            assertThat(guest.registers().rsp()).isEqualTo(at);
            return null;
          });
    }
  }

  @Test
  void shouldGiveTheSignalFramesPlaceToNobody() {
    AddressSpace space = code.pool.addressSpace();
    long frame = space.imageEnd() - Abi.STUB_FRAME_SIZE;
    code.run(
        "8a06 66f3ab ffe3", // fault; rep stosw; jmp rbx
        guest -> {
          guest.registers().rdi(frame).rax(0x050f).rcx(Abi.STUB_FRAME_SIZE / 2).rbx(frame);
          guest.registers().rip(CODE + 2);
          Trap.Fault nothing = (Trap.Fault) guest.resume();
          assertThat(GuestCode.words(nothing)).isEqualTo("SEGV 1 0x" + Long.toHexString(frame));
          assertThat(guest.examine(nothing)).isEqualTo(new FaultDetails(14, 6, frame));
          for (int i = 0; i < 3; i++) {
            guest.registers().rip(CODE + 2).rcx(Abi.STUB_FRAME_SIZE / 2).rdi(frame);
            Trap.Fault fault = (Trap.Fault) guest.resume();
            assertThat(GuestCode.words(guest, fault))
                .isEqualTo("SEGV 2 0x%x 0x%x".formatted(frame, frame));
            assertThat(guest.memory().read(frame, 2)).containsExactly(0x0f, 5);
            fault = (Trap.Fault) guest.resume();
            assertThat(code.checkFault(guest, fault)).isEqualTo(new FaultDetails(14, 0x15, frame));
          }
          return null;
        });
  }

  @Test
  void shouldExamineWhileAnotherGuestScribbles() throws Exception {
    long frame = code.pool.addressSpace().imageEnd() - Abi.STUB_FRAME_SIZE;
    code.run(
        "8a06 4889d9 4889d7 66f3ab ebf5", // fault; forever: rcx = rbx; rdi = rdx; rep stosw
        guest -> {
          guest.registers().rsi(8);
          code.checkFault(guest, (Trap.Fault) guest.resume());
          AtomicReference<Guest.Interrupter> interrupter = new AtomicReference<>();
          CountDownLatch runs = new CountDownLatch(1);
          CompletableFuture<Void> scribbles =
              CompletableFuture.runAsync(
                  () ->
                      code.again(
                          other -> {
                            int words = Abi.STUB_FRAME_SIZE / 2;
                            other.registers().rip(CODE + 2).rax(-1).rbx(words).rdx(frame);
                            interrupter.set(other.interrupter());
                            runs.countDown();
                            assertThat(other.resume()).isInstanceOf(Trap.Interrupted.class);
                            return null;
                          }),
                  Thread::startVirtualThread);
          assertThat(runs.await(10, TimeUnit.SECONDS)).isTrue();
          GuestState state = guest.save();
          for (int i = 0; i < 200; i++) {
            Trap.Fault fault = (Trap.Fault) guest.resume();
            GuestCode.assertSame(guest.save(), state);
            guest.examine(fault); // its words are the other's
          }
          interrupter.get().interrupt();
          scribbles.get(10, TimeUnit.SECONDS);
          return null;
        });
  }

  // ---- state ----

  @Test
  void shouldLiveWithMemoryDeniedByKeys() {
    Assumptions.assumeTrue(GuestCode.has("ospke"));
    code.run(
        "31c9 31d2 83c8ff 0f01ef 8a07 90", // wrpkru of all ones; read
        guest -> {
          guest.memory().write(DATA, new byte[1]);
          Trap.Fault fault = (Trap.Fault) guest.resume();
          assertThat(GuestCode.words(guest, fault)).isEqualTo("SEGV 4 0x200000 +10");
          assertThat(code.checkFault(guest, fault)).isEqualTo(new FaultDetails(14, 0x25, DATA));
          guest.registers().rip(CODE + 12);
          expect(guest, "BREAK 0 128 +14");
          return null;
        });
    code.again(
        guest -> {
          guest.registers().rip(CODE + 10);
          expect(guest, "BREAK 0 128 +14"); // of the other guest alone
          return null;
        });
  }
}
