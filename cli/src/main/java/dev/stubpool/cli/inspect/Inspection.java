package dev.stubpool.cli.inspect;

import dev.stubpool.cli.pools.JvmStubs;
import dev.stubpool.cli.pools.LivePool;
import dev.stubpool.cli.pools.PooledStub;
import dev.stubpool.cli.pools.Survey;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import dev.stubpool.nativestubs.proc.ResourceLimits;
import dev.stubpool.nativestubs.proc.ResourceLimits.Limit;
import dev.stubpool.nativestubs.proc.StatusFields;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Everything that can be observed of a stub without disturbing it.
 *
 * @param process the process
 * @param fields the fields of its status file
 * @param age the time since its start
 * @param jvm what its JVM publishes of it: one pool that contains only this stub, or no pool
 * @param parent its JVM's process; empty if it is not visible
 * @param main the JVM's main class or jar
 * @param tracer the thread that traces it, if any
 * @param waitsIn the kernel function in which it waits, if readable
 * @param oomScoreAdjust its oom_score_adj, -1000 to 1000
 * @param limits its resource limits that differ from its JVM's; empty if its JVM is gone
 * @param mappings its mappings; empty if not readable
 * @param proportionalKibibytes its PSS in kB, proc_pid_smaps(5); empty if not readable
 */
record Inspection(
    ProcessStatus process,
    StatusFields fields,
    Duration age,
    JvmStubs jvm,
    Optional<ProcessStatus> parent,
    Optional<String> main,
    Optional<Tracer> tracer,
    Optional<String> waitsIn,
    Optional<Integer> oomScoreAdjust,
    Optional<Map<String, Limit>> limits,
    Optional<StubMappings> mappings,
    Optional<Long> proportionalKibibytes) {

  private static final Pattern PROPORTIONAL = Pattern.compile("(?m)^Pss: +(\\d+) kB$");

  /**
   * A thread that traces a stub.
   *
   * @param tid its thread id
   * @param comm its name, at most 15 characters
   * @param isOfJvm whether it is a thread of the stub's JVM
   */
  record Tracer(int tid, String comm, boolean isOfJvm) {}

  /** Inspects a stub; empty if it ends meanwhile. */
  static Optional<Inspection> of(ProcFs proc, ProcessStatus process) throws IOException {
    int pid = process.pid();
    int jvm = process.parent();
    Optional<StatusFields> fields = proc.fields(pid);
    if (fields.isEmpty()) {
      return Optional.empty();
    }
    // Read before the age, so that the time in a state never exceeds the age.
    JvmStubs published = new Survey(proc, System::nanoTime).of(jvm, List.of(process));
    Inspection inspection =
        new Inspection(
            process,
            fields.get(),
            process.age(proc.uptime()),
            published,
            proc.status(jvm),
            proc.read(jvm, "cmdline").flatMap(JavaCommandLine::main),
            tracer(proc, jvm, fields.get().tracer()),
            readable(proc, pid, "wchan").filter(function -> !function.equals("0")),
            readable(proc, pid, "oom_score_adj").map(text -> Integer.valueOf(text.strip())),
            limits(proc, pid, jvm),
            mappings(process),
            readable(proc, pid, "smaps_rollup").flatMap(Inspection::proportional));
    return proc.status(pid).filter(process::isSame).map(same -> inspection);
  }

  /** The stub in its pool, if that is known. */
  Optional<PooledStub> pooled() {
    return pool().flatMap(p -> p.source().or(() -> p.stubs().stream().findFirst()));
  }

  /** The pool, if it is known. */
  Optional<LivePool> pool() {
    return jvm.pools().stream()
        .filter(p -> p.source().isPresent() || !p.stubs().isEmpty())
        .findFirst();
  }

  /** Whether it is a source stub, according to its pool or its mappings. */
  boolean isSource() {
    return pooled()
        .map(PooledStub::isSource)
        .orElseGet(() -> mappings.filter(StubMappings::isSource).isPresent());
  }

  /** Whether its JVM's files are not readable. */
  boolean isJvmDenied() {
    return jvm.isDenied() && tracer.isPresent();
  }

  /** Whether the stub's user or root could read more. */
  boolean isPartial() {
    return isJvmDenied() || mappings.isEmpty();
  }

  private static Optional<Tracer> tracer(ProcFs proc, int jvm, int tid) throws IOException {
    if (tid == 0) {
      return Optional.empty();
    }
    String comm = proc.read(tid, "comm").map(String::strip).orElse("");
    return Optional.of(new Tracer(tid, comm, Files.exists(proc.path(jvm, "task/" + tid))));
  }

  private static Optional<Map<String, Limit>> limits(ProcFs proc, int pid, int jvm)
      throws IOException {
    Optional<ResourceLimits> own = readable(proc, pid, "limits").map(ResourceLimits::parse);
    Optional<ResourceLimits> parents = readable(proc, jvm, "limits").map(ResourceLimits::parse);
    return own.flatMap(limits -> parents.map(limits::differentFrom));
  }

  private static Optional<StubMappings> mappings(ProcessStatus process) throws IOException {
    try {
      return Optional.of(StubMappings.of(process.pid()));
    } catch (IOException e) {
      if (ProcFs.isDenied(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static Optional<Long> proportional(String rollup) {
    Matcher matcher = PROPORTIONAL.matcher(rollup);
    return matcher.find() ? Optional.of(Long.valueOf(matcher.group(1))) : Optional.empty();
  }

  /** A file's text; empty if the process is gone or the file is not readable. */
  private static Optional<String> readable(ProcFs proc, int pid, String file) throws IOException {
    try {
      return proc.read(pid, file);
    } catch (IOException e) {
      if (ProcFs.isDenied(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
