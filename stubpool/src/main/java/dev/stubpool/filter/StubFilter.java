package dev.stubpool.filter;

import static dev.stubpool.seccomp.Condition.argument;
import static dev.stubpool.seccomp.Condition.instructionPointerIn;
import static dev.stubpool.seccomp.Condition.rangeOutside;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ImageSymbols;
import dev.stubpool.nativestubs.StubImage;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.compiler.SeccompCompiler;

/**
 * The filter of all stubs of a JVM. What it does not allow raises SIGSYS (TRAP), which a tracer
 * sees; nothing is ever killed, for a guest's vsyscall would then be a stub's death.
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

  private StubFilter() {}

  /** The filter, compiled. */
  public static BpfProgram program(StubImage image, MappableWindow window, long lowestAddress) {
    return SeccompCompiler.compile(policy(image, window, lowestAddress));
  }

  /**
   * The filter as a policy.
   *
   * @param lowestAddress {@code vm.mmap_min_addr}
   */
  public static SeccompPolicy policy(StubImage image, MappableWindow window, long lowestAddress) {
    // The kernel gives the address behind the system call instruction: never the page's first, at
    // most one of its bytes.
    Condition fromTheImage =
        instructionPointerIn(image.base() + 1, image.base() + Abi.IMAGE_STUB_SIZE);
    Condition outsideTheImage = rangeOutside(0, 1, image.base(), image.end());
    Condition notTooLow = argument(0).greaterOrEqual(lowestAddress);
    Condition knownProtection = argument(2).lessOrEqual(ALL_PROTECTIONS);

    SeccompPolicy.Builder policy =
        SeccompPolicy.builder(Architecture.X86_64)
            .defaultAction(SeccompAction.TRAP)
            .badArchitectureAction(SeccompAction.TRAP);

    // Rules are tried in order: what mmap must not be comes first.
    policy
        // Not fixed: it could land in what the image reserves.
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
