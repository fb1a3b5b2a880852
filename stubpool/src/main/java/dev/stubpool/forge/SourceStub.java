package dev.stubpool.forge;

import dev.stubpool.DeniedSystemCallException;
import dev.stubpool.StubDiedException;
import dev.stubpool.StubUnresponsiveException;
import dev.stubpool.SystemCallException;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.CloneAdvice;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.diagnose.PtraceAdvice;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.calls.FileCalls;
import dev.stubpool.nativestubs.calls.NativeCallException;
import dev.stubpool.nativestubs.calls.ProcessCalls;
import dev.stubpool.nativestubs.calls.PtraceCalls;
import dev.stubpool.nativestubs.image.BirthStep;
import dev.stubpool.nativestubs.image.ImageSymbols;
import dev.stubpool.nativestubs.image.SourceClone;
import dev.stubpool.nativestubs.image.SourceClone.Range;
import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import dev.stubpool.ptrace.StopRunner;
import dev.stubpool.ptrace.Tracee;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the source stub: the one process that is forked from the JVM, and from which all other
 * stubs are cloned.
 *
 * <p>The forked child waits until it is seized, so that it is never without a tracer whose end
 * kills it. Then it performs the steps of {@link BirthStep}, and ends in an int3. There the tracer
 * unmaps all of the JVM's memory and overwrites all registers with constants: nothing of the JVM is
 * left that a child could inherit.
 */
final class SourceStub {
  private static final Logger LOG = LoggerFactory.getLogger(SourceStub.class);
  private static final String STEP = "making the source stub";
  private static final String LET_THROUGH =
      "let the call through in the container's profile (docker run --security-opt seccomp=...)";

  private SourceStub() {}

  /**
   * Makes a source, traced by the calling thread; it dies when that thread ends.
   *
   * @param pidPage the address of the page, shared with the JVM, that its children's pids are
   *     written to
   * @throws SystemCallException if the kernel refused a step; no process is left then
   */
  static Tracee make(StopRunner tracer, StubSpec spec, long pidPage) {
    List<Mapping> maps = mappings();
    try (SourceClone clone =
        new SourceClone(
            spec.filter().toBytes(),
            pidPage,
            vdso(maps),
            HeapMappings.among(maps),
            spec.exitSignal(),
            spec.hooks().armParentDeathSignal())) {
      long pid = clone.start();
      if (pid < 0) {
        int errno = (int) -pid;
        String advice =
            clone.step() == BirthStep.CLONE ? CloneAdvice.of(errno) : advice(clone.step(), errno);
        throw Failures.make().systemCall(clone.step().call(), errno, STEP, advice);
      }
      Tracee source;
      try {
        source = new Tracee((int) pid);
      } catch (Error e) {
        ProcessCalls.kill((int) pid, Abi.SIGKILL); // the sweep reaps it
        throw e;
      }
      try {
        awaitBirth(tracer, source, clone, spec);
        LOG.debug("source stub {}: {} heap mappings left out", pid, clone.rangesExcluded());
        source.setArmed();
        tracer.unmapAround(source, spec.lowest(), spec.highest(), STEP);
        new InitialState(tracer, source, STEP).restore(source, STEP);
      } catch (RuntimeException | Error e) {
        tracer.reaper().killAndReap(source);
        throw e;
      }
      return source;
    } catch (NativeCallException e) {
      throw Failures.make().systemCall(e.call(), e.errno(), e.step());
    }
  }

  private static List<Mapping> mappings() {
    try {
      return ProcMaps.self();
    } catch (IOException e) {
      throw Failures.make()
          .other("cannot read /proc/self/maps while " + STEP + ": " + e.getMessage(), e);
    }
  }

  private static @Nullable Range vdso(List<Mapping> maps) {
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
  private static void awaitBirth(
      StopRunner tracer, Tracee source, SourceClone clone, StubSpec spec) {
    try {
      seize(tracer, source, spec);
      preferForOomKill(source);
      clone.proceed();
      tracer.awaitTrap(source, StubImage.get().address(ImageSymbols.STUB_READY_DONE), STEP);
    } catch (StubDiedException | StubUnresponsiveException | SystemCallException e) {
      BirthStep step = clone.step();
      String where = STEP + " (step " + step + ")";
      if (clone.errno() != 0) {
        SystemCallException failed =
            Failures.make()
                .systemCall(step.call(), clone.errno(), where, advice(step, clone.errno()));
        failed.addSuppressed(e);
        throw failed;
      }
      if (e instanceof SystemCallException) {
        throw e; // of a call on the child, not of the child's own
      }
      throw Failures.make()
          .died(source.pid(), source.describeDeath() + " in " + step.call(), where);
    } catch (DeniedSystemCallException e) { // its own filter is not there yet
      throw Failures.make()
          .unsupported(
              "a seccomp filter of this JVM raises SIGSYS for "
                  + clone.step().call()
                  + " while "
                  + STEP
                  + "; "
                  + LET_THROUGH,
              e);
    }
  }

  private static void seize(StopRunner tracer, Tracee source, StubSpec spec) {
    int options = Abi.PTRACE_O_TRACESYSGOOD | (spec.hooks().exitKill() ? Abi.PTRACE_O_EXITKILL : 0);
    long result = PtraceCalls.seize(source.pid(), options);
    if (result < 0) {
      if (tracer.reaper().isDead(source.pid())) { // EPERM, for a dead process too
        tracer.reaper().reap(source);
        throw Failures.make().died(source.pid(), source.describeDeath(), STEP);
      }
      throw Failures.make()
          .systemCall(
              "ptrace(PTRACE_SEIZE)",
              (int) -result,
              STEP,
              PtraceAdvice.onSeizing(source.pid(), (int) -result));
    }
  }

  /**
   * Has the kernel kill stubs before the JVM when memory runs out. The JVM writes the value: the
   * child shares the JVM's descriptors, and one that the child opened would remain if it was
   * killed.
   */
  private static void preferForOomKill(Tracee source) {
    String path = "/proc/" + source.pid() + "/oom_score_adj";
    String call = "write of " + path;
    int fd = (int) Failures.check(FileCalls.open(path, Abi.O_RDWR, 0), call, STEP);
    try {
      Failures.check(FileCalls.write(fd, "1000"), call, STEP);
    } finally {
      FileCalls.close(fd);
    }
  }

  /** What to do about a birth that failed at a step for a known reason, or "". */
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
