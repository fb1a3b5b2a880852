package dev.stubpool.forge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.DeniedSystemCallException;
import dev.stubpool.StubDiedException;
import dev.stubpool.filter.StubFilter;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.ptrace.Tracee;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The filter as a real stub meets it, against the policy and the simulator. A call is made from the
 * image's own site, or from code that a guest would have, with all registers chosen here.
 */
public class FilterIT {
  private static final long PAGE = Abi.IMAGE_PAGE;
  private static final long CODE = 0x2000_0000L;
  private static final long FREE = 0x3000_0000L;
  private static final int X32 = 0x4000_0000;
  private static final int LAST_NUMBER = 1023;

  /**
   * The kernel makes these two pass any filter (Linux 6.11, 6.18): SIGILL unless from its own
   * trampoline.
   */
  private static final int URETPROBE = 335;

  private static final int UPROBE = 336;
  private static final long[] ZEROS = new long[6];

  private final TracedStub stubs = new TracedStub();
  private final MappableWindow window = stubs.window;
  private final BpfProgram program = StubFilter.program(stubs.image, window, TracedStub.LOWEST);
  private final long base = stubs.image.base();
  private final long end = stubs.image.end();
  private Tracee stub = stubs.forge();

  @AfterEach
  void close() {
    stubs.close();
  }

  private enum Verdict {
    ALLOWED,
    DENIED
  }

  @Test
  void shouldDenyEveryNumberButItsOwn() {
    List<Integer> allowed = new ArrayList<>();
    for (int number = 0; number <= LAST_NUMBER; number++) {
      if (number == URETPROBE || number == UPROBE) {
        call(number, ZEROS); // raises SIGILL, which the tracer drops
        continue;
      }
      if (agree(number, ZEROS) == Verdict.ALLOWED) {
        allowed.add(number);
      }
      assertThat(agree(number | X32, ZEROS)).as("x32 number %d", number).isEqualTo(Verdict.DENIED);
    }
    assertThat(allowed)
        .containsExactly(
            Abi.SYS_getpid, Abi.SYS_exit, Abi.SYS_getppid, Abi.SYS_gettid, Abi.SYS_restart_syscall);
    assertThat(agree(-1, ZEROS)).isEqualTo(Verdict.DENIED);
  }

  @Test
  void shouldReadTheNumberAsTheKernelDoes() {
    // The kernel takes the low half of rax for the number.
    long poisoned = 0xdead_beef_0000_0000L | Abi.SYS_getpid;
    assertThat(call(poisoned, ZEROS)).isEqualTo(Verdict.ALLOWED);
  }

  @Test
  void shouldAllowItsTableAndDenyEachWithAPoisonedHighHalf() {
    long anonymous = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
    long file = Abi.MAP_FIXED_NOREPLACE | Abi.MAP_SHARED;
    long[][] mappings = {
      {FREE, PAGE, 7, anonymous, -1, 0},
      {FREE, PAGE, 1, file, window.first(), 0},
      {FREE, PAGE, 1, file, window.last(), 0},
      {TracedStub.LOWEST, PAGE, 0, anonymous | Abi.MAP_NORESERVE, -1, 0},
      {base - PAGE, PAGE, 1, anonymous, -1, 0},
      {end, PAGE, 1, anonymous | Abi.MAP_POPULATE, -1, 0},
    };
    for (long[] arguments : mappings) {
      assertThat(agree(Abi.SYS_mmap, arguments)).isEqualTo(Verdict.ALLOWED);
      poison(Abi.SYS_mmap, arguments, 3, 4); // flags and descriptor
      long[] range = {arguments[0], arguments[1], arguments[2], 0, 0, 0};
      assertThat(agree(Abi.SYS_mprotect, range)).isEqualTo(Verdict.ALLOWED);
      assertThat(agree(Abi.SYS_munmap, range)).isEqualTo(Verdict.ALLOWED);
      poison(Abi.SYS_mprotect, range, 2);
    }
    long[] arm = {Abi.PR_SET_PDEATHSIG, Abi.SIGKILL, 0, 0, 0, 0};
    assertThat(agree(Abi.SYS_prctl, arm)).isEqualTo(Verdict.ALLOWED);
    poison(Abi.SYS_prctl, arm, 0, 1);
  }

  @Test
  void shouldDenyWhatTheTableDoesNotName() {
    long fixed = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
    long[][] denied = {
      // over the image, and around it
      {base, PAGE, 3, fixed, -1, 0},
      {base - PAGE, PAGE + 1, 3, fixed, -1, 0},
      {base - PAGE, 2 * PAGE, 3, fixed, -1, 0},
      {end - PAGE, PAGE, 3, fixed, -1, 0},
      {FREE, base - FREE + 1, 3, fixed, -1, 0},
      // wraps, and carries from the low into the high half
      {FREE, -FREE, 3, fixed, -1, 0},
      {FREE, -PAGE, 3, fixed, -1, 0},
      {0xffff_f000L, base - 0xffff_f000L + 1, 3, fixed, -1, 0},
      // too low; not fixed; a flag of its own; a protection too many
      {TracedStub.LOWEST - PAGE, PAGE, 3, fixed, -1, 0},
      {FREE, PAGE, 3, Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS, -1, 0},
      {FREE, PAGE, 3, fixed | 0x100, -1, 0}, // MAP_GROWSDOWN
      {FREE, PAGE, 8, fixed, -1, 0},
      // descriptors of the JVM
      {FREE, PAGE, 1, Abi.MAP_FIXED | Abi.MAP_SHARED, 0, 0},
      {FREE, PAGE, 1, Abi.MAP_FIXED | Abi.MAP_SHARED, window.first() - 1, 0},
      {FREE, PAGE, 1, Abi.MAP_FIXED | Abi.MAP_SHARED, window.last() + 1, 0},
      {FREE, PAGE, 1, Abi.MAP_FIXED | Abi.MAP_SHARED, 0xffff_ffffL, 0},
    };
    for (long[] arguments : denied) {
      assertThat(agree(Abi.SYS_mmap, arguments)).isEqualTo(Verdict.DENIED);
    }
    long parkWord = stubs.image.address(ImageSymbols.STUB_PARK_WORD);
    assertThat(agree(Abi.SYS_futex, parkWord, 0)).isEqualTo(Verdict.DENIED); // not private
    assertThat(agree(Abi.SYS_futex, parkWord, 129)).isEqualTo(Verdict.DENIED); // wake
    assertThat(agree(Abi.SYS_futex, parkWord + 4, 128)).isEqualTo(Verdict.DENIED);
    assertThat(agree(Abi.SYS_prctl, Abi.PR_SET_PDEATHSIG, 15)).isEqualTo(Verdict.DENIED);
    assertThat(agree(Abi.SYS_prctl, Abi.PR_SET_NO_NEW_PRIVS, 1)).isEqualTo(Verdict.DENIED);
    for (long flags : new long[] {0, 17, 0x411, 0x8411, Abi.CHILD_STUB_FLAGS ^ 0x2000}) {
      assertThat(agree(Abi.SYS_clone, flags, 0)).as("flags 0x%x", flags).isEqualTo(Verdict.DENIED);
    }
    long highHalf = 1L << 32;
    assertThat(agree(Abi.SYS_clone, Abi.CHILD_STUB_FLAGS | highHalf, 0)).isEqualTo(Verdict.DENIED);
    assertThat(agree(Abi.SYS_clone, Abi.GUEST_THREAD_FLAGS | highHalf, 0))
        .isEqualTo(Verdict.DENIED);
  }

  @Test
  void shouldAgreeWithTheSimulatorOnRandomCalls() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    long[] words = {
      0,
      1,
      2,
      3,
      7,
      9,
      PAGE,
      FREE,
      base,
      base - PAGE,
      base + PAGE,
      end,
      end - PAGE,
      -1,
      -PAGE,
      0x32,
      0x22,
      0x11,
      0x10_0001,
      window.first(),
      window.last(),
      window.last() + 1,
      128,
      TracedStub.LOWEST,
      0xffff_ffffL,
      1L << 32,
      stubs.image.address(ImageSymbols.STUB_PARK_WORD),
    };
    int[] numbers = {
      Abi.SYS_mmap, Abi.SYS_munmap, Abi.SYS_mprotect, Abi.SYS_prctl, Abi.SYS_clone, Abi.SYS_futex
    };
    for (int i = 0; i < 20_000; i++) {
      int number = numbers[random.nextInt(numbers.length)];
      long[] arguments = new long[6];
      for (int j = 0; j < arguments.length; j++) {
        arguments[j] = words[random.nextInt(words.length)];
        if (random.nextInt(8) == 0) {
          arguments[j] ^= 1L << random.nextInt(64);
        }
      }
      boolean runs = simulate(number, arguments) == Verdict.ALLOWED;
      // What the filter lets through may block, fork or unmap: calls of which only the verdict
      // matters.
      if (runs && (number == Abi.SYS_futex || number == Abi.SYS_clone)) {
        continue;
      }
      assertThat(agree(number, arguments)).as("seed %d, step %d", seed, i).isNotNull();
    }
  }

  @Test
  void shouldDenyCallsFromCodeThatIsNotTheImages() {
    mapCode(0x0f, 0x05, 0xcc); // syscall; int3
    assertThat(callFromCode(Abi.SYS_getpid, 3)).isEqualTo(Verdict.DENIED);
    assertThat(callFromCode(Abi.SYS_exit, 3)).isEqualTo(Verdict.DENIED);
    assertThat(callFromCode(Abi.SYS_munmap, 3)).isEqualTo(Verdict.DENIED);
  }

  @Test
  void shouldDenyCallsOfThe32BitConvention() {
    mapCode(0xcd, 0x80, 0xcc); // int $0x80; int3
    for (int number = 0; number <= LAST_NUMBER; number++) {
      assertThat(callFromCode(number, 3)).as("i386 call %d", number).isEqualTo(Verdict.DENIED);
    }
  }

  /** High halves of arguments that the kernel itself would cut off. */
  private void poison(int number, long[] arguments, int... indexes) {
    for (int index : indexes) {
      long[] poisoned = arguments.clone();
      poisoned[index] ^= 0xdead_beef_0000_0000L;
      assertThat(agree(number, poisoned)).as("argument %d", index).isEqualTo(Verdict.DENIED);
    }
  }

  private Verdict agree(int number, long a, long b) {
    return agree(number, new long[] {a, b, 0, 0, 0, 0});
  }

  /** The verdict that policy, simulator and kernel agree on. */
  private Verdict agree(int number, long[] arguments) {
    Verdict simulated = simulate(number, arguments);
    assertThat(call(Integer.toUnsignedLong(number), arguments))
        .as("call %d %s", number, hex(arguments))
        .isEqualTo(simulated);
    return simulated;
  }

  private Verdict simulate(int number, long[] arguments) {
    SeccompData data =
        SeccompData.of(
            Architecture.X86_64,
            number,
            stubs.image.address(ImageSymbols.STUB_CALL_RETURNED),
            arguments);
    SeccompAction action = BpfSimulator.run(program, data).action();
    assertThat(stubs.policy.evaluate(data)).isEqualTo(action);
    return action.equals(SeccompAction.ALLOW) ? Verdict.ALLOWED : Verdict.DENIED;
  }

  private Verdict call(long rax, long[] arguments) {
    return call(
        stubs.image.address(ImageSymbols.STUB_CALL),
        stubs.image.address(ImageSymbols.STUB_CALL_DONE),
        rax,
        arguments);
  }

  private Verdict callFromCode(int number, int length) {
    return call(CODE, CODE + length, number, ZEROS);
  }

  private Verdict call(long site, long done, long rax, long[] arguments) {
    try {
      stubs.tracer.injectRaw(stub, site, done, rax, arguments, "testing the filter");
      return Verdict.ALLOWED;
    } catch (DeniedSystemCallException e) {
      assertThat(e.number()).isEqualTo((int) rax);
      return Verdict.DENIED;
    } catch (StubDiedException e) {
      assertThat((int) rax).isEqualTo(Abi.SYS_exit);
      stub = stubs.forge();
      return Verdict.ALLOWED;
    }
  }

  private void mapCode(int... bytes) {
    long flags = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;
    long[] arguments = {CODE, PAGE, 7, flags, -1, 0};
    assertThat(agree(Abi.SYS_mmap, arguments)).isEqualTo(Verdict.ALLOWED);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment code = arena.allocate(bytes.length);
      for (int i = 0; i < bytes.length; i++) {
        code.setAtIndex(ValueLayout.JAVA_BYTE, i, (byte) bytes[i]);
      }
      assertThat(MemoryCalls.write(stub.pid(), CODE, code)).isEqualTo(bytes.length);
    }
  }

  private static String hex(long[] words) {
    StringBuilder text = new StringBuilder();
    for (long word : words) {
      text.append(" 0x").append(Long.toHexString(word));
    }
    return text.toString();
  }
}
