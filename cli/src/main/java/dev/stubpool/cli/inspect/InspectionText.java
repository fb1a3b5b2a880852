package dev.stubpool.cli.inspect;

import dev.stubpool.cli.inspect.Inspection.Tracer;
import dev.stubpool.cli.inspect.StubMappings.Extent;
import dev.stubpool.cli.output.HumanTime;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.cli.pools.LivePool;
import dev.stubpool.cli.pools.PooledStub;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import dev.stubpool.nativestubs.proc.ResourceLimits.Limit;
import dev.stubpool.nativestubs.proc.SignalSet;
import dev.stubpool.nativestubs.proc.StatusFields;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The output of {@code inspect}: one line per topic, its name first. */
final class InspectionText {
  private static final String LINE = "%-9s %s%n";

  private InspectionText() {}

  static void print(PrintWriter out, Inspection stub) {
    out.printf(LINE, "stub", stub(stub));
    out.printf(LINE, "pool", pool(stub));
    out.printf(LINE, "state", state(stub));
    out.printf(LINE, "jvm", jvm(stub));
    out.printf(LINE, "tracer", tracer(stub));
    out.printf(LINE, "kernel", kernel(stub));
    out.printf(LINE, "locked", locked(stub.fields()));
    out.printf(LINE, "signals", signals(stub.fields()));
    out.printf(LINE, "memory", memory(stub));
    out.printf(LINE, "mapped", mapped(stub));
    out.printf(LINE, "limits", limits(stub));
    out.flush();
  }

  private static String stub(Inspection stub) {
    return "%d, started %s ago, %s CPU time, user %s"
        .formatted(
            stub.process().pid(),
            HumanTime.of(stub.age()),
            HumanTime.of(stub.process().cpuTime()),
            stub.fields().user().map(String::valueOf).orElse("unknown"));
  }

  private static String pool(Inspection stub) {
    if (stub.isJvmDenied()) {
      return "unknown, its JVM is not readable";
    }
    return stub.pool().map(LivePool::name).map(Printable::of).orElse("none published");
  }

  private static String state(Inspection stub) {
    String state =
        stub.pooled().map(PooledStub::state).orElse(stub.isSource() ? "source" : "unknown");
    return state
        + stub.pooled()
            .filter(pooled -> !pooled.isSource()) // printed above
            .flatMap(PooledStub::since)
            .map(time -> " for " + HumanTime.of(time))
            .orElse("")
        + stub.pooled().flatMap(PooledStub::lease).map(lease -> ", lease " + lease).orElse("");
  }

  private static String jvm(Inspection stub) {
    return stub.process().parent()
        + stub.parent().map(ProcessStatus::comm).map(InspectionText::named).orElse("")
        + stub.main().map(main -> ", " + Printable.of(main)).orElse("");
  }

  private static String tracer(Inspection stub) {
    if (stub.tracer().isEmpty()) {
      return stub.process().isZombie() ? "none" : "none, the stub is not controlled";
    }
    Tracer tracer = stub.tracer().get();
    return tracer.tid()
        + named(tracer.comm())
        + (tracer.isOfJvm() ? ", a thread of its JVM" : ", NOT a thread of its JVM");
  }

  private static String kernel(Inspection stub) {
    ProcessStatus process = stub.process();
    return process.state()
        + ", "
        + process.stateWord()
        + stub.waitsIn().map(function -> ", in " + function).orElse("")
        + "; "
        + (process.threads() == 1 ? "1 thread" : process.threads() + " threads")
        + stub.fields().cpus().map(cpus -> ", may run on CPU " + cpus).orElse("");
  }

  private static String locked(StatusFields fields) {
    List<String> sets =
        fields.capabilities().entrySet().stream()
            .filter(set -> set.getValue() != 0)
            .map(set -> set.getKey() + " " + Long.toHexString(set.getValue()))
            .toList();
    return (fields.isFiltered() ? "seccomp filter" : "NO seccomp filter")
        + (fields.hasNoNewPrivileges() ? ", no new privileges" : ", new privileges POSSIBLE")
        + (sets.isEmpty() ? ", no capabilities" : ", capabilities " + String.join(", ", sets));
  }

  private static String signals(StatusFields fields) {
    return "pending: "
        + names(fields.pendingSignals())
        + "; not blocked: "
        + names(fields.blockedSignals().complement());
  }

  private static String names(SignalSet signals) {
    String names = String.join(" ", signals.names());
    String realTime = signals.realTime() == 0 ? "" : signals.realTime() + " real-time";
    return (names + " " + realTime).isBlank() ? "none" : (names + " " + realTime).strip();
  }

  private static String memory(Inspection stub) {
    return "RSS "
        + stub.process().residentKibibytes()
        + " kB"
        + stub.proportionalKibibytes().map(kb -> ", PSS " + kb + " kB").orElse("")
        + stub.oomScoreAdjust().map(adjust -> ", oom_score_adj " + adjust).orElse("");
  }

  private static String mapped(Inspection stub) {
    return stub.mappings()
        .map(all -> "image " + extent(all.image()) + ", guest " + extent(all.guest()))
        .orElse("not readable");
  }

  private static String extent(Extent extent) {
    return extent.mappings() == 0
        ? "nothing"
        : String.format(Locale.ROOT, "%,d kB in %,d", extent.kibibytes(), extent.mappings());
  }

  private static String limits(Inspection stub) {
    return stub.limits()
        .map(limits -> limits.entrySet().stream().map(InspectionText::limit).toList())
        .map(own -> own.isEmpty() ? "its JVM's" : "its JVM's, except " + String.join(", ", own))
        .orElse("unknown");
  }

  private static String limit(Map.Entry<String, Limit> limit) {
    return "%s %s (hard %s)"
        .formatted(limit.getKey(), limit.getValue().soft(), limit.getValue().hard());
  }

  private static String named(String comm) {
    return " (" + Printable.of(comm) + ")";
  }
}
