package dev.stubpool.cli.inspect;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.cli.inspect.Inspection.Tracer;
import dev.stubpool.cli.inspect.StubMappings.Extent;
import dev.stubpool.cli.pools.LivePool;
import dev.stubpool.cli.pools.PooledStub;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import dev.stubpool.nativestubs.proc.ResourceLimits.Limit;
import dev.stubpool.nativestubs.proc.SignalSet;
import dev.stubpool.nativestubs.proc.StatusFields;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** The output of {@code inspect --json}. Unknown values are null. */
final class InspectionJson {
  private InspectionJson() {}

  static void write(JsonGenerator json, Inspection stub) throws IOException {
    ProcessStatus process = stub.process();
    Optional<PooledStub> pooled = stub.pooled();
    json.writeNumberField("pid", process.pid());
    JsonFields.number(json, "user_id", stub.fields().user());
    json.writeNumberField("age_ms", stub.age().toMillis());
    json.writeNumberField("cpu_ms", process.cpuTime().toMillis());
    JsonFields.text(json, "pool", stub.pool().map(LivePool::name));
    JsonFields.text(
        json,
        "state",
        pooled
            .map(PooledStub::state)
            .or(() -> stub.isSource() ? Optional.of(PooledStub.SOURCE) : Optional.empty()));
    JsonFields.number(json, "for_ms", pooled.flatMap(PooledStub::since).map(Duration::toMillis));
    JsonFields.number(json, "lease", pooled.flatMap(PooledStub::lease));
    json.writeNumberField("jvm_pid", process.parent());
    JsonFields.text(json, "jvm_comm", stub.parent().map(ProcessStatus::comm));
    JsonFields.text(json, "jvm_main", stub.main());
    JsonFields.number(json, "tracer_tid", stub.tracer().map(Tracer::tid));
    JsonFields.text(json, "tracer_comm", stub.tracer().map(Tracer::comm));
    json.writeBooleanField("tracer_is_of_jvm", stub.tracer().filter(Tracer::isOfJvm).isPresent());
    json.writeStringField("kernel_state", String.valueOf(process.state()));
    JsonFields.text(json, "wchan", stub.waitsIn());
    json.writeNumberField("threads", process.threads());
    JsonFields.text(json, "cpus", stub.fields().cpus());
    locks(json, stub.fields());
    signals(json, "signals_pending", stub.fields().pendingSignals());
    signals(json, "signals_not_blocked", stub.fields().blockedSignals().complement());
    json.writeNumberField("rss_kb", process.residentKibibytes());
    JsonFields.number(json, "pss_kb", stub.proportionalKibibytes());
    JsonFields.number(json, "oom_score_adj", stub.oomScoreAdjust());
    extent(json, "image", stub.mappings().map(StubMappings::image));
    extent(json, "guest", stub.mappings().map(StubMappings::guest));
    limits(json, stub.limits());
  }

  private static void locks(JsonGenerator json, StatusFields fields) throws IOException {
    json.writeBooleanField("seccomp_filter", fields.isFiltered());
    json.writeBooleanField("no_new_privs", fields.hasNoNewPrivileges());
    json.writeObjectFieldStart("capabilities");
    for (Map.Entry<String, Long> set : fields.capabilities().entrySet()) {
      json.writeStringField(set.getKey(), Long.toHexString(set.getValue()));
    }
    json.writeEndObject();
  }

  private static void signals(JsonGenerator json, String name, SignalSet signals)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (String signal : signals.names()) {
      json.writeString(signal);
    }
    json.writeEndArray();
  }

  private static void extent(JsonGenerator json, String name, Optional<Extent> extent)
      throws IOException {
    JsonFields.number(json, name + "_kb", extent.map(Extent::kibibytes));
    JsonFields.number(json, name + "_mappings", extent.map(Extent::mappings));
  }

  private static void limits(JsonGenerator json, Optional<Map<String, Limit>> limits)
      throws IOException {
    if (limits.isEmpty()) {
      json.writeNullField("limits_unlike_jvm");
      return;
    }
    json.writeObjectFieldStart("limits_unlike_jvm");
    for (Map.Entry<String, Limit> limit : limits.get().entrySet()) {
      json.writeObjectFieldStart(limit.getKey());
      json.writeStringField("soft", limit.getValue().soft());
      json.writeStringField("hard", limit.getValue().hard());
      json.writeEndObject();
    }
    json.writeEndObject();
  }
}
