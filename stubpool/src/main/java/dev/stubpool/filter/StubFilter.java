package dev.stubpool.filter;

import static dev.stubpool.seccomp.Condition.argument;
import static dev.stubpool.seccomp.Condition.instructionPointerIn;
import static dev.stubpool.seccomp.Condition.rangeOutside;

import dev.stubpool.AddressSpace;
import dev.stubpool.memory.MappableWindow;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.compiler.FilterTooLongException;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.seccomp.proof.InputSets;
import dev.stubpool.seccomp.proof.UndecidedException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The seccomp filter of stubs. A pool's policy can take calls away from the table below, and never
 * add one. A call that the filter does not allow raises SIGSYS (TRAP), which the tracer sees. The
 * filter kills nothing: a guest's vsyscall would then be the death of its stub.
 *
 * <table>
 * <caption>Allowed, and only from the image's stub text</caption>
 * <tr><td>mmap</td><td>fixed; outside the image; of no file, or one in the window of mappable descriptors</td></tr>
 * <tr><td>munmap, mprotect</td><td>outside the image</td></tr>
 * <tr><td>clone</td><td>the flags of a child stub, or of a guest thread: both traced from birth</td></tr>
 * <tr><td>futex</td><td>private WAIT on the image's park word</td></tr>
 * <tr><td>prctl</td><td>PR_SET_PDEATHSIG, SIGKILL</td></tr>
 * <tr><td>getpid, gettid, getppid, exit, restart_syscall</td><td></td></tr>
 * </table>
 */
public final class StubFilter {
  private static final int ALL_PROTECTIONS = Abi.PROT_READ | Abi.PROT_WRITE | Abi.PROT_EXEC;
  private static final int FIXED = Abi.MAP_FIXED | Abi.MAP_FIXED_NOREPLACE;
  private static final int MMAP_FLAGS =
      FIXED
          | Abi.MAP_SHARED
          | Abi.MAP_PRIVATE
          | Abi.MAP_ANONYMOUS
          | Abi.MAP_NORESERVE
          | Abi.MAP_POPULATE;

  /** Calls that the library alone makes: it needs all that the table allows of them. */
  private static final Map<Integer, String> OWN_CALLS =
      Map.of(
          Abi.SYS_clone, "to make child stubs and guest threads",
          Abi.SYS_futex, "to sleep while it is idle",
          Abi.SYS_prctl, "to die with the JVM",
          Abi.SYS_getppid, "to notice that the JVM is dead",
          Abi.SYS_exit, "to end guest threads",
          Abi.SYS_restart_syscall, "to sleep on after a signal");

  private static final int MOST_COMPILED = 16;

  /** The latest filters; guarded by itself. Their policies contain image and window. */
  private static final Map<SeccompPolicy, BpfProgram> COMPILED =
      new LinkedHashMap<>(MOST_COMPILED, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<SeccompPolicy, BpfProgram> eldest) {
          return size() > MOST_COMPILED;
        }
      };

  private StubFilter() {}

  /** The filter without a policy of the caller's, compiled. */
  public static BpfProgram program(StubImage image, MappableWindow window, long lowestAddress) {
    return compiled(policy(image, window, lowestAddress));
  }

  /**
   * The filter that allows what the table and a policy both allow, compiled.
   *
   * @param taken what the policy takes away: all its rules are TRAP, its default action is ALLOW
   * @throws IllegalArgumentException if the policy takes away a call that the library makes, or is
   *     too long for a filter
   */
  public static BpfProgram program(
      StubImage image, MappableWindow window, AddressSpace space, SeccompPolicy taken) {
    SeccompPolicy table = policy(image, window, space.lowest());
    List<SeccompRule> rules = rules(taken);
    if (rules.isEmpty()) {
      return compiled(table);
    }
    // The first rule that matches answers: what these trap, the table is not asked about.
    SeccompPolicy.Builder both = builder();
    rules.forEach(both::rule);
    rules(table).forEach(both::rule);
    SeccompPolicy all = both.build();
    checkOwnCalls(rules, ownCalls(image, space, table), all);
    try {
      return compiled(all);
    } catch (FilterTooLongException e) {
      throw new IllegalArgumentException(
          "the policy of the pool is too long: " + e.getMessage(), e);
    }
  }

  private static List<SeccompRule> rules(SeccompPolicy policy) {
    return Objects.requireNonNull(
        policy.rules().get(Architecture.X86_64), "the policy is not for x86-64");
  }

  private static BpfProgram compiled(SeccompPolicy policy) {
    synchronized (COMPILED) {
      return COMPILED.computeIfAbsent(policy, SeccompCompiler::compile);
    }
  }

  /** What the library calls in stubs, and why. */
  private static Map<SeccompRule, String> ownCalls(
      StubImage image, AddressSpace space, SeccompPolicy table) {
    Map<SeccompRule, String> calls = new LinkedHashMap<>();
    for (SeccompRule rule : rules(table)) {
      if (OWN_CALLS.containsKey(rule.nr())) {
        calls.put(rule, OWN_CALLS.get(rule.nr()));
      }
    }
    Condition fromTheImage = fromTheImage(image);
    String like = "to be made like new";
    long below = image.base() - space.lowest();
    long above = space.highest() - image.end();
    calls.put(allowed(Abi.SYS_munmap, fromTheImage, is(0, space.lowest()), is(1, below)), like);
    calls.put(allowed(Abi.SYS_munmap, fromTheImage, is(0, image.end()), is(1, above)), like);
    calls.put(
        allowed(
            Abi.SYS_mmap,
            fromTheImage,
            is(0, image.base() + Abi.STUB_FRAME_OFFSET),
            is(1, Abi.STUB_FRAME_SIZE),
            is(2, Abi.PROT_READ | Abi.PROT_WRITE),
            is(3, Abi.MAP_FIXED | Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS),
            is(4, -1),
            is(5, 0)),
        "to examine a fault");
    return calls;
  }

  private static SeccompRule allowed(int number, Condition... conditions) {
    return new SeccompRule(number, List.of(conditions), SeccompAction.ALLOW);
  }

  private static Condition is(int index, long value) {
    return argument(index).equalTo(value);
  }

  /**
   * Exactly, over all values of the arguments that a call leaves open: registers that a call does
   * not use hold what was in them.
   */
  private static void checkOwnCalls(
      List<SeccompRule> taken, Map<SeccompRule, String> ownCalls, SeccompPolicy all) {
    InputSets sets = InputSets.of(List.of(), List.of(all), InputSets.DEFAULT_MAX_NODES);
    ownCalls.forEach(
        (call, purpose) -> {
          for (SeccompRule rule : taken) {
            if (rule.nr() == call.nr() && overlap(sets, rule, call)) {
              throw new IllegalArgumentException(
                  "the policy of the pool takes away "
                      + SystemCallTable.of(Architecture.X86_64).name(call.nr()).orElseThrow()
                      + ", which every stub needs "
                      + purpose);
            }
          }
        });
  }

  private static boolean overlap(InputSets sets, SeccompRule one, SeccompRule other) {
    List<Condition> both = new ArrayList<>(one.conditions());
    both.addAll(other.conditions());
    try {
      return !sets.condition(new Condition.All(both)).isEmpty();
    } catch (UndecidedException e) {
      throw new IllegalArgumentException(
          "the conditions of the pool's policy are too complicated: " + e.getMessage(), e);
    }
  }

  private static SeccompPolicy.Builder builder() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(SeccompAction.TRAP)
        .badArchitectureAction(SeccompAction.TRAP);
  }

  /**
   * The kernel gives the address behind the system call instruction: never the page's first, at
   * most one of its bytes.
   */
  private static Condition fromTheImage(StubImage image) {
    return instructionPointerIn(image.base() + 1, image.base() + Abi.IMAGE_STUB_SIZE);
  }

  /**
   * The table as a policy.
   *
   * @param lowestAddress {@code vm.mmap_min_addr}
   */
  public static SeccompPolicy policy(StubImage image, MappableWindow window, long lowestAddress) {
    Condition fromTheImage = fromTheImage(image);
    Condition outsideTheImage = rangeOutside(0, 1, image.base(), image.end());
    Condition notTooLow = argument(0).greaterOrEqual(lowestAddress);
    Condition knownProtection = argument(2).lessOrEqual(ALL_PROTECTIONS);

    SeccompPolicy.Builder policy = builder();

    // The first rule that matches decides: what is denied for mmap comes first.
    policy
        // Without a fixed address the kernel could choose one in the range that the image reserves.
        .rule(Abi.SYS_mmap, SeccompAction.TRAP, argument(3).maskedEqualTo(FIXED, 0))
        .rule(Abi.SYS_mmap, SeccompAction.TRAP, argument(4).lessThan(window.first()))
        .rule(
            Abi.SYS_mmap,
            SeccompAction.TRAP,
            argument(4).greaterThan(window.last()),
            argument(4).notEqualTo(-1))
        .allow(
            Abi.SYS_mmap,
            fromTheImage,
            notTooLow,
            knownProtection,
            argument(3).onlyBits(MMAP_FLAGS),
            outsideTheImage);
    policy.allow(Abi.SYS_munmap, fromTheImage, notTooLow, outsideTheImage);
    policy.allow(Abi.SYS_mprotect, fromTheImage, notTooLow, knownProtection, outsideTheImage);

    policy.allow(
        Abi.SYS_clone,
        fromTheImage,
        argument(0).anyOf(Abi.CHILD_STUB_FLAGS, Abi.GUEST_THREAD_FLAGS));
    policy.allow(
        Abi.SYS_futex,
        fromTheImage,
        argument(0).equalTo(image.address(ImageSymbols.STUB_PARK_WORD)),
        argument(1).equalTo(Abi.FUTEX_WAIT_PRIVATE));
    policy.allow(
        Abi.SYS_prctl,
        fromTheImage,
        argument(0).equalTo(Abi.PR_SET_PDEATHSIG),
        argument(1).equalTo(Abi.SIGKILL));
    for (int harmless :
        new int[] {
          Abi.SYS_getpid, Abi.SYS_gettid, Abi.SYS_getppid, Abi.SYS_exit, Abi.SYS_restart_syscall
        }) {
      policy.allow(harmless, fromTheImage);
    }
    return policy.build();
  }
}
