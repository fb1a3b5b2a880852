package dev.stubpool.forge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.abi.Errno;
import dev.stubpool.forge.FreeStub.End;
import dev.stubpool.forge.FreeStub.Run;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.MemoryCalls;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What stands between a stub and the kernel if nothing else does: guest code that runs with real
 * system calls, as it never does in a pool, jumps wherever it likes in the image, with registers of
 * its choice. The filter permits a few calls from the image alone, and each of them leads to an
 * int3, where a tracer has the stub again.
 */
class FreeStubIT {
  private static final long PAGE = Abi.IMAGE_PAGE;
  private static final long CODE = 0x2000_0000L;
  private static final long FREE = 0x3000_0000L;
  private static final long FIXED = Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS;

  /** A page of pids; one more is possible for who enters behind the check. */
  private static final int MOST_CHILDREN = Forge.MOST_AT_ONCE + 1;

  private static final int[] ARGUMENTS = {
    Abi.REGS_rdi, Abi.REGS_rsi, Abi.REGS_rdx, Abi.REGS_r10, Abi.REGS_r8, Abi.REGS_r9
  };

  private static final int[] REGISTERS = {
    Abi.REGS_rax, Abi.REGS_rbx, Abi.REGS_rcx, Abi.REGS_rdx, Abi.REGS_rsi, Abi.REGS_rdi,
    Abi.REGS_rbp, Abi.REGS_rsp, Abi.REGS_r8, Abi.REGS_r9, Abi.REGS_r10, Abi.REGS_r11,
    Abi.REGS_r12, Abi.REGS_r13, Abi.REGS_r14, Abi.REGS_r15
  };

  private final TracedStub stubs = new TracedStub();
  private final FreeStub free = new FreeStub(stubs);
  private final long base = stubs.image.base();
  private final long end = stubs.image.end();

  @AfterEach
  void close() {
    free.close();
    stubs.close();
    assertThat(Proc.stubs()).isEmpty();
  }

  /** Each row of the filter's table, as the image may make it. */
  private List<long[]> permitted() {
    return List.of(
        new long[] {Abi.SYS_mmap, FREE, PAGE, 7, FIXED, -1, 0},
        new long[] {Abi.SYS_mprotect, FREE, PAGE, 1},
        new long[] {Abi.SYS_munmap, FREE, PAGE},
        new long[] {Abi.SYS_clone, Abi.CHILD_STUB_FLAGS, 0, 0},
        new long[] {Abi.SYS_clone, Abi.GUEST_THREAD_FLAGS, 0, 0},
        new long[] {
          Abi.SYS_futex,
          stubs.image.address(ImageSymbols.STUB_PARK_WORD),
          Abi.FUTEX_WAIT_PRIVATE,
          1 // is not there: EAGAIN at once
        },
        new long[] {Abi.SYS_prctl, Abi.PR_SET_PDEATHSIG, Abi.SIGKILL},
        new long[] {Abi.SYS_getpid},
        new long[] {Abi.SYS_gettid},
        new long[] {Abi.SYS_getppid},
        new long[] {Abi.SYS_restart_syscall},
        new long[] {Abi.SYS_exit, 0});
  }

  /** The registers of a call; r15 leads {@code jmp r15} into the image. */
  private static Map<Integer, Long> call(long[] row, long target) {
    Map<Integer, Long> registers = new HashMap<>();
    registers.put(Abi.REGS_rax, row[0]);
    for (int i = 1; i < row.length; i++) {
      registers.put(ARGUMENTS[i - 1], row[i]);
    }
    registers.put(Abi.REGS_r15, target);
    return registers;
  }

  private void load(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    stubs.tracer.inject(free.stub(), Abi.SYS_mmap, CODE, PAGE, 7, FIXED, -1, 0, "loading code");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment code = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      assertThat(MemoryCalls.write(free.stub().pid(), CODE, code)).isEqualTo(bytes.length);
    }
  }

  @Test
  void shouldMakeNoCallFromCodeOfItsOwn() {
    load("0f05cc"); // syscall; int3
    for (long[] row : permitted()) {
      Run run = free.run(CODE, call(row, 0));
      assertThat(run.end()).as("call %d", row[0]).isEqualTo(End.DENIED);
      assertThat(run.children()).isZero();
    }
    load("cd80cc"); // int 0x80; int3
    for (long[] row : permitted()) {
      assertThat(free.run(CODE, call(row, 0)).end()).as("call %d", row[0]).isEqualTo(End.DENIED);
    }
    load("cc");
    Run run = free.run(CODE, Map.of());
    assertThat(run.end()).isEqualTo(End.BREAKPOINT);
    assertThat(run.rip()).isEqualTo(CODE + 1);
  }

  @Test
  void shouldBeStoppedAfterEachCallThatTheImageMakesForIt() {
    long target = stubs.image.address(ImageSymbols.STUB_CALL);
    for (long[] row : permitted()) {
      load("41ffe7"); // jmp r15
      Run run = free.run(CODE, call(row, target));
      if (row[0] == Abi.SYS_exit) {
        assertThat(run.end()).isEqualTo(End.EXITED);
        continue;
      }
      assertThat(run.end()).as("call %d", row[0]).isEqualTo(End.BREAKPOINT);
      assertThat(run.rip()).isEqualTo(stubs.image.address(ImageSymbols.STUB_CALL_DONE));
      boolean forks = row[0] == Abi.SYS_clone && row[1] == Abi.CHILD_STUB_FLAGS;
      assertThat(run.children()).isEqualTo(forks ? 1 : 0);
      if (row[0] == Abi.SYS_futex) {
        assertThat(run.rax()).isEqualTo(-Errno.EAGAIN);
      } else if (row[0] == Abi.SYS_restart_syscall) {
        assertThat(run.rax()).isEqualTo(-Errno.EINTR);
      } else {
        assertThat(run.rax()).as("call %d", row[0]).isNotNegative();
      }
    }
  }

  @Test
  void shouldNotChangeTheImage() throws IOException {
    long unmapAround = stubs.image.address(ImageSymbols.STUB_UNMAP_AROUND);
    long[][] ranges = {
      {base, PAGE},
      {base, end - base},
      {base - PAGE, 2 * PAGE},
      {end - PAGE, PAGE},
      {TracedStub.LOWEST, TracedStub.HIGHEST - TracedStub.LOWEST},
      {FREE, -FREE},
      {base + PAGE, -PAGE},
    };
    for (long[] range : ranges) {
      Map<Integer, Long> first = Map.of(Abi.REGS_rdi, range[0], Abi.REGS_rsi, range[1]);
      assertThat(free.run(unmapAround, first).end()).isEqualTo(End.DENIED);
      Map<Integer, Long> second =
          Map.of(
              Abi.REGS_rdi,
              FREE,
              Abi.REGS_rsi,
              PAGE,
              Abi.REGS_r12,
              range[0],
              Abi.REGS_r13,
              range[1]);
      assertThat(free.run(unmapAround, second).end()).isEqualTo(End.DENIED);
      for (int number : new int[] {Abi.SYS_mmap, Abi.SYS_mprotect}) {
        long[] row = {number, range[0], range[1], 7, FIXED, -1, 0};
        long target = stubs.image.address(ImageSymbols.STUB_CALL);
        assertThat(free.run(target, call(row, 0)).end()).isEqualTo(End.DENIED);
      }
      assertImageIntact();
    }
  }

  /** Each entry into the loop that makes children, with counts that would make it long. */
  @Test
  void shouldMakeABoundedNumberOfChildren() {
    long from = stubs.image.address(ImageSymbols.STUB_CLONE_MANY);
    long to = stubs.image.address(ImageSymbols.STUB_CLONE_MANY_DONE);
    long[] counts = {0, 0xffff_ffffL, -1, 1L << 31};
    Map<Integer, Long> registers = new HashMap<>();
    registers.put(Abi.REGS_rbx, Abi.CHILD_STUB_FLAGS);
    registers.put(Abi.REGS_rdi, Abi.CHILD_STUB_FLAGS);
    registers.put(Abi.REGS_rax, (long) Abi.SYS_clone);
    for (long entry = from; entry < to; entry++) {
      for (long count : counts) {
        registers.put(Abi.REGS_r13, count);
        Run run = free.run(entry, registers);
        assertThat(run.children())
            .as("r13 0x%x at 0x%x of the image", count, entry - base)
            .isLessThanOrEqualTo(1);
      }
    }
    registers.put(Abi.REGS_r13, (long) Forge.MOST_AT_ONCE + 1);
    Run tooMany = free.run(from, registers);
    assertThat(tooMany.children()).isZero();
    assertThat(tooMany.rax()).isEqualTo(-Errno.EINVAL);
    registers.put(Abi.REGS_r13, (long) Forge.MOST_AT_ONCE);
    Run most = free.run(from, registers);
    assertThat(most.children()).isEqualTo(Forge.MOST_AT_ONCE);
    assertThat(most.rip()).isEqualTo(to);
  }

  /** Anywhere, also in the middle of instructions. */
  @Test
  void shouldBeStoppedWhereverItEntersTheImage() throws IOException {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int rounds = Effort.cases(2, 200);
    Map<End, Integer> ends = new EnumMap<>(End.class);
    for (int offset = 0; offset < ImageSymbols.STUB_PARK_WORD + 8; offset++) {
      for (int round = 0; round < rounds; round++) {
        Map<Integer, Long> registers = hostile(random);
        Run run = free.run(base + offset, registers);
        String where = "seed %d, offset 0x%x, round %d".formatted(seed, offset, round);
        assertThat(run.children()).as(where).isLessThanOrEqualTo(MOST_CHILDREN);
        if (run.end() == End.BREAKPOINT || run.end() == End.ASLEEP) {
          assertThat(run.rip()).as(where).isBetween(base, base + PAGE);
        }
        ends.merge(run.end(), 1, Integer::sum);
        if (run.end() != End.EXITED) {
          assertImageIntact();
        }
        if (random.nextInt(8) == 0) {
          free.replace();
        }
      }
    }
    System.out.println("runs that entered the image anywhere, seed " + seed + ": " + ends);
    assertThat(ends).containsOnlyKeys(End.values());
  }

  private Map<Integer, Long> hostile(Random random) {
    long[] numbers = {
      Abi.SYS_mmap,
      Abi.SYS_munmap,
      Abi.SYS_mprotect,
      Abi.SYS_clone,
      Abi.SYS_futex,
      Abi.SYS_prctl,
      Abi.SYS_getpid,
      Abi.SYS_getppid,
      Abi.SYS_exit,
      Abi.SYS_restart_syscall,
      Abi.SYS_openat,
      Abi.SYS_mremap,
      Abi.SYS_rt_sigreturn,
      Abi.SYS_execve,
      0,
      -1
    };
    long[] words = {
      0,
      1,
      2,
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
      FIXED,
      Abi.MAP_FIXED | Abi.MAP_SHARED,
      Abi.CHILD_STUB_FLAGS,
      Abi.GUEST_THREAD_FLAGS,
      stubs.window.first(),
      stubs.window.last(),
      Abi.FUTEX_WAIT_PRIVATE,
      TracedStub.LOWEST,
      0xffff_ffffL,
      1L << 32,
      stubs.image.address(ImageSymbols.STUB_PARK_WORD),
      stubs.image.address(ImageSymbols.STUB_CLONE_MANY),
      Abi.PR_SET_PDEATHSIG,
      Abi.SIGKILL
    };
    Map<Integer, Long> registers = new HashMap<>();
    for (int register : REGISTERS) {
      registers.put(register, words[random.nextInt(words.length)]);
    }
    registers.put(Abi.REGS_rax, numbers[random.nextInt(numbers.length)]);
    if (random.nextInt(4) == 0) { // so that not all are denied
      List<long[]> rows = permitted();
      registers.putAll(call(rows.get(random.nextInt(rows.size())), 0));
    }
    return registers;
  }

  /** The text where it was, and nothing else in its range. */
  private void assertImageIntact() throws IOException {
    List<Mapping> inside =
        ProcMaps.of(free.stub().pid()).stream()
            .filter(mapping -> mapping.start() >= base && mapping.start() < end)
            .toList();
    assertThat(inside).hasSize(1);
    assertThat(inside.getFirst().start()).isEqualTo(base);
    assertThat(inside.getFirst().size()).isEqualTo(PAGE);
    assertThat(inside.getFirst().permissions()).isEqualTo("r-xs");
  }
}
