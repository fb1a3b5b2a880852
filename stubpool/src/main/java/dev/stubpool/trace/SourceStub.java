package dev.stubpool.trace;

import dev.stubpool.DeniedSystemCallException;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.SystemCallException;
import dev.stubpool.UnsupportedMachineException;
import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.BirthStep;
import dev.stubpool.nativestubs.Errno;
import dev.stubpool.nativestubs.FileCalls;
import dev.stubpool.nativestubs.ImageSymbols;
import dev.stubpool.nativestubs.NativeCallException;
import dev.stubpool.nativestubs.ProcMaps;
import dev.stubpool.nativestubs.ProcMaps.Mapping;
import dev.stubpool.nativestubs.PtraceCalls;
import dev.stubpool.nativestubs.SourceClone;
import dev.stubpool.nativestubs.SourceClone.Range;
import dev.stubpool.nativestubs.StubImage;
import java.io.IOException;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the source stub: the one process that is forked from the JVM, and the parent text of all
 * others.
 *
 * <p>The fork waits until it is seized, so that it is never without a tracer that it would die
 * with; then it goes through the steps of {@link BirthStep} and ends in an int3. From there the
 * tracer unmaps all of the JVM's memory and overwrites all of its registers with constants: nothing
 * of the JVM is left that a child could inherit.
 */
final class SourceStub {
  private static final Logger LOG = LoggerFactory.getLogger(SourceStub.class);
  private static final String STEP = "making the source stub";
  private static final String LET_THROUGH =
      "let the call through in the container's profile (docker run --security-opt seccomp=...)";

  private SourceStub() {}

  /**
   * Makes one, traced by the calling thread, whose death it does not survive.
   *
   * @param pidPage where its children's pids arrive, shared with the JVM
   * @throws SystemCallException if the kernel refused a step; no process is left then
   */
  static Tracee make(Tracer tracer, StubSpec spec, long pidPage, Seams seams) {
    List<Mapping> maps = mappings();
    try (SourceClone clone =
        new SourceClone(
            spec.filter().toBytes(),
            pidPage,
            vdso(maps),
            HeapMappings.among(maps),
            spec.exitSignal(),
            seams.armParentDeathSignal())) {
      long pid = clone.start();
      if (pid < 0) {
        int errno = (int) -pid;
        String advice =
            clone.step() == BirthStep.CLONE ? CloneAdvice.of(errno) : advice(clone.step(), errno);
        throw new SystemCallException(clone.step().call(), errno, STEP, advice);
      }
      Tracee source = new Tracee((int) pid);
      try {
        bear(tracer, source, clone, seams);
        LOG.debug("source stub {}: {} heap mappings left out", pid, clone.rangesExcluded());
        source.setArmed();
        tracer.unmapAround(source, spec.lowest(), spec.highest(), STEP);
        new InitialState(tracer, source, STEP).restore(source, STEP);
      } catch (RuntimeException e) {
        tracer.killAndBury(source);
        throw e;
      }
      return source;
    } catch (NativeCallException e) {
      throw new SystemCallException(e.call(), e.errno(), e.step());
    }
  }

  private static List<Mapping> mappings() {
    try {
      return ProcMaps.self();
    } catch (IOException e) {
      throw new StubPoolException(
          "cannot read /proc/self/maps while " + STEP + ": " + e.getMessage(), e);
    }
  }

  private static Range vdso(List<Mapping> maps) {
    for (Mapping mapping : maps) {
      if (mapping.name().equals("[vdso]")) {
        return new Range(mapping.start(), mapping.size());
      }
    }
    return null;
  }

  /**
   * Has the child go through its birth. Where it fails, at whatever moment that is noticed here,
   * the boot region has the step and its error.
   */
  private static void bear(Tracer tracer, Tracee source, SourceClone clone, Seams seams) {
    try {
      seize(tracer, source, seams);
      letItGoFirst(source);
      clone.proceed();
      tracer.awaitTrap(source, StubImage.get().address(ImageSymbols.STUB_READY_DONE), STEP);
    } catch (StubDiedException | StubUnresponsiveException | SystemCallException e) {
      BirthStep step = clone.step();
      String where = STEP + " (step " + step + ")";
      if (clone.errno() != 0) {
        SystemCallException failed =
            new SystemCallException(step.call(), clone.errno(), where, advice(step, clone.errno()));
        failed.addSuppressed(e);
        throw failed;
      }
      if (e instanceof SystemCallException) {
        throw e; // of a call on the child, not of the child's own
      }
      throw new StubDiedException(source.pid(), source.death() + " in " + step.call(), where);
    } catch (DeniedSystemCallException e) { // its own filter is not there yet
      throw new UnsupportedMachineException(
          "a seccomp filter of this JVM raises SIGSYS for "
              + clone.step().call()
              + " while "
              + STEP
              + "; "
              + LET_THROUGH,
          e);
    }
  }

  private static void seize(Tracer tracer, Tracee source, Seams seams) {
    int options = Abi.PTRACE_O_TRACESYSGOOD | (seams.exitKill() ? Abi.PTRACE_O_EXITKILL : 0);
    long result = PtraceCalls.seize(source.pid(), options);
    if (result < 0) {
      if (tracer.isDead(source.pid())) { // EPERM, for a dead process too
        tracer.bury(source);
        throw new StubDiedException(source.pid(), source.death(), STEP);
      }
      throw new SystemCallException(
          "ptrace(PTRACE_SEIZE)",
          (int) -result,
          STEP,
          PtraceAdvice.onSeizing(source.pid(), (int) -result));
    }
  }

  /**
   * When memory runs out, the kernel is to kill stubs, not the JVM. Written from here: the child
   * shares the JVM's descriptors, and one that it opened would stay if it was killed just then.
   */
  private static void letItGoFirst(Tracee source) {
    String path = "/proc/" + source.pid() + "/oom_score_adj";
    String call = "write of " + path;
    int fd = (int) SystemCallException.check(FileCalls.open(path, Abi.O_RDWR, 0), call, STEP);
    try {
      SystemCallException.check(FileCalls.write(fd, "1000"), call, STEP);
    } finally {
      FileCalls.close(fd);
    }
  }

  /** What to do about a birth that failed at a step for a reason we know. */
  static String advice(BirthStep step, int errno) {
    if (step == BirthStep.VDSO && errno == Errno.EPERM) {
      return "this kernel seals the vDSO (CONFIG_MSEAL_SYSTEM_MAPPINGS), and stubs must be rid of"
          + " it: boot one without";
    }
    boolean denied = errno == Errno.EPERM || errno == Errno.EACCES || errno == Errno.ENOSYS;
    if (step == BirthStep.FILTER && (errno == Errno.EINVAL || denied)) {
      return "the kernel needs CONFIG_SECCOMP_FILTER, and a container must let seccomp(2) through";
    }
    return denied ? "a seccomp filter or a security module denies it: " + LET_THROUGH : "";
  }
}
