package dev.stubpool;

import static dev.stubpool.seccomp.Condition.argument;
import static dev.stubpool.seccomp.SeccompAction.TRAP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Proc;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A policy that takes system calls away from all stubs of a pool. */
class PolicyIT {
  private static final long CODE = 0x10_0000;
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final int CASES = 100_000;

  /** syscall; mov rax, [0]. */
  private static final byte[] CALL_AND_FAULT = HexFormat.of().parseHex("0f05488b042500000000");

  @AfterEach
  void shouldLeaveNothing() {
    assertThat(Proc.stubs()).isEmpty();
    assertThat(Descriptors.leadingTo("/")).as("the window of mappable descriptors").isZero();
  }

  private static SeccompPolicy.Builder policy() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(SeccompAction.ALLOW)
        .badArchitectureAction(TRAP);
  }

  private static SeccompPolicy without(String call, Condition... conditions) {
    return policy().rule(call, TRAP, conditions).build();
  }

  private static StubPool open(SeccompPolicy policy) {
    return StubPool.open(
        StubPoolOptions.builder().name("strict").minIdle(0).maxStubs(4).policy(policy).build());
  }

  /** All that the library does in a stub: threads, faults, copies, recycling. */
  private static void useAll(StubPool pool) {
    int pid;
    try (Stub stub = pool.acquire()) {
      pid = stub.pid();
      stub.memory().mapAnonymous(CODE, PAGE, Protection.READ_WRITE);
      stub.memory().write(CODE, CALL_AND_FAULT);
      try (MemoryFile code = pool.memoryFile(PAGE)) {
        code.segment().copyFrom(MemorySegment.ofArray(CALL_AND_FAULT));
        stub.memory().map(CODE, code, 0, PAGE, Protection.READ_EXECUTE, Sharing.PRIVATE);
      }
      for (int run = 0; run < 2; run++) {
        stub.run(
            guest -> {
              guest.registers().rip(CODE).rax(Abi.SYS_getpid);
              assertThat(((Trap.SystemCall) guest.resume()).number()).isEqualTo(Abi.SYS_getpid);
              guest.complete(1);
              Trap.Fault fault = (Trap.Fault) guest.resume();
              assertThat(guest.examine(fault).address()).isZero();
              return null;
            });
      }
      try (Stub copy = stub.spawnChild()) {
        assertThat(copy.syscall(Abi.SYS_gettid)).isEqualTo(copy.pid());
      }
    }
    Proc.await("recycling", () -> pool.stats().idle() == 2);
    assertThat(pool.stats().recycled()).isEqualTo(2);
    try (Stub next = pool.acquire()) {
      assertThat(next.memory().mappings()).isEmpty();
    }
    assertThat(pid).isPositive();
  }

  @Test
  void shouldTakeAWholeCallAway() {
    try (StubPool pool = open(without("getpid"))) {
      try (Stub stub = pool.acquire()) {
        assertThatThrownBy(() -> stub.syscall(Abi.SYS_getpid))
            .isInstanceOfSatisfying(
                DeniedSystemCallException.class,
                e -> assertThat(e.number()).isEqualTo(Abi.SYS_getpid));
        assertThat(stub.syscall(Abi.SYS_gettid)).isEqualTo(stub.pid());
      }
      Proc.await("recycling", () -> pool.stats().idle() == 1);
    }
    try (StubPool pool = open(without("getpid"))) {
      useAll(pool);
    }
  }

  @Test
  void shouldTakeSomeArgumentsOfACallAway() {
    Condition executable = argument(2).maskedEqualTo(Abi.PROT_EXEC, Abi.PROT_EXEC);
    try (StubPool pool = open(without("mprotect", executable))) {
      try (Stub stub = pool.acquire()) {
        StubMemory memory = stub.memory();
        memory.mapAnonymous(CODE, PAGE, Protection.READ_WRITE);
        assertThatThrownBy(() -> memory.protect(CODE, PAGE, Protection.READ_EXECUTE))
            .isInstanceOf(DeniedSystemCallException.class);
        assertThat(memory.mappings().getFirst().protection()).isEqualTo(Protection.READ_WRITE);
        memory.protect(CODE, PAGE, Protection.READ);
        assertThat(memory.mappings().getFirst().protection()).isEqualTo(Protection.READ);
        stub.kill();
      }
    }
    try (StubPool pool = open(without("mprotect", executable))) {
      useAll(pool);
    }
  }

  private static List<Arguments> neededCalls() {
    StubImage image = StubImage.get();
    Condition frame = argument(0).equalTo(image.base() + Abi.STUB_FRAME_OFFSET);
    // What is in registers that a call does not use is not known: no value may be taken away.
    Condition leftOver = argument(5).equalTo(0x1234_5678_9abcL);
    return Stream.of(
            new Object[] {"futex", without("futex")},
            new Object[] {
              "futex",
              without("futex", argument(0).equalTo(image.address(ImageSymbols.STUB_PARK_WORD)))
            },
            new Object[] {"futex", without("futex", leftOver)},
            new Object[] {"prctl", without("prctl", argument(0).equalTo(Abi.PR_SET_PDEATHSIG))},
            new Object[] {"getppid", without("getppid", leftOver)},
            new Object[] {"exit", without("exit")},
            new Object[] {"restart_syscall", without("restart_syscall")},
            new Object[] {"clone", without("clone", argument(0).equalTo(Abi.CHILD_STUB_FLAGS))},
            new Object[] {"clone", without("clone", argument(0).equalTo(Abi.GUEST_THREAD_FLAGS))},
            new Object[] {"munmap", without("munmap", argument(1).greaterThan(1L << 40))},
            new Object[] {"munmap", without("munmap", argument(0).equalTo(image.end()))},
            new Object[] {"mmap", without("mmap", frame)},
            new Object[] {"mmap", without("mmap", argument(2).notEqualTo(Abi.PROT_READ))},
            new Object[] {
              "exit", policy().rule("getpid", TRAP).rule("exit", TRAP).rule("gettid", TRAP).build()
            })
        .map(Arguments::of)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("neededCalls")
  void shouldRefuseToTakeAwayWhatTheLibraryNeeds(String call, SeccompPolicy policy) {
    assertThatThrownBy(() -> open(policy))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "the policy of the pool takes away " + call + ", which every stub needs to ");
  }

  @Test
  void shouldLetAPolicyNameTheSameCallsWithOtherArguments() {
    SeccompPolicy harmless =
        policy()
            .rule("prctl", TRAP, argument(0).notEqualTo(Abi.PR_SET_PDEATHSIG))
            .rule("futex", TRAP, argument(1).notEqualTo(Abi.FUTEX_WAIT_PRIVATE))
            .rule("clone", TRAP, argument(0).equalTo(Abi.SIGCHLD))
            .build();
    try (StubPool pool = open(harmless)) {
      useAll(pool);
    }
  }

  @Test
  void shouldRefuseAPolicyThatFitsIntoNoFilter() {
    SeccompPolicy.Builder large = policy();
    for (long size = 1; size < 700; size++) {
      large.rule("mprotect", TRAP, argument(1).equalTo(size * 3 * PAGE), argument(2).equalTo(size));
    }
    assertThatThrownBy(() -> open(large.build()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("the policy of the pool is too long: ");
  }

  @Test
  void shouldAllowWhatTheTableAndThePolicyBothAllow() {
    SeccompPolicy policy =
        policy()
            .rule("mmap", TRAP, argument(2).equalTo(7))
            .rule("mprotect", TRAP, argument(1).greaterThan(PAGE))
            .rule("gettid", TRAP)
            .rule("write", TRAP, argument(0).equalTo(1))
            .build();
    try (StubPool pool = open(policy);
        StubPool usual = StubPool.open(StubPoolOptions.defaults())) {
      BpfSimulator both = new BpfSimulator(pool.filter());
      BpfSimulator table = new BpfSimulator(usual.filter());
      int[] numbers = {
        Abi.SYS_mmap, Abi.SYS_mprotect, Abi.SYS_munmap, Abi.SYS_gettid, Abi.SYS_getpid, 1
      };
      long[] words = {0, 1, 3, 7, 8, 0x22, 0x32, PAGE, 2 * PAGE, CODE, -1};
      long site = StubImage.get().address(ImageSymbols.STUB_CALL_RETURNED);
      long seed = new Random().nextLong();
      Random random = new Random(seed);
      int[] seen = new int[2];
      for (int i = 0; i < CASES; i++) {
        long[] arguments = new long[SeccompData.ARGUMENTS];
        for (int j = 0; j < arguments.length; j++) {
          arguments[j] = words[random.nextInt(words.length)];
        }
        int number = numbers[random.nextInt(numbers.length)];
        SeccompData call = SeccompData.of(Architecture.X86_64, number, site, arguments);
        boolean allowed =
            table.run(call).action().equals(SeccompAction.ALLOW)
                && policy.evaluate(call).equals(SeccompAction.ALLOW);
        assertThat(both.run(call).action())
            .as("seed %d, %s", seed, call)
            .isEqualTo(allowed ? SeccompAction.ALLOW : TRAP);
        seen[allowed ? 1 : 0]++;
      }
      assertThat(seen[0]).isPositive();
      assertThat(seen[1]).isPositive();
    }
  }

  @Test
  void shouldCompileTheSamePolicyOnce() {
    try (StubPool first = open(without("getpid"));
        StubPool second = open(without("getpid"));
        StubPool other = open(without("gettid"))) {
      assertThat(second.filter()).isSameAs(first.filter());
      assertThat(other.filter()).isNotEqualTo(first.filter());
    }
  }
}
