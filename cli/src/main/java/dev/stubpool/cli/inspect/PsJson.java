package dev.stubpool.cli.inspect;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.StubState;
import dev.stubpool.cli.pools.JvmStubs;
import dev.stubpool.cli.pools.LivePool;
import dev.stubpool.cli.pools.PooledStub;
import dev.stubpool.cli.pools.UnpublishedStub;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** The output of {@code ps --json}. Unknown values are null. */
final class PsJson {
  private PsJson() {}

  static void write(JsonGenerator json, List<JvmStubs> jvms) throws IOException {
    json.writeArrayFieldStart("pools");
    for (JvmStubs jvm : jvms) {
      for (LivePool pool : jvm.pools()) {
        write(json, pool);
      }
    }
    json.writeEndArray();
    json.writeArrayFieldStart("unpublished");
    for (JvmStubs jvm : jvms) {
      for (UnpublishedStub stub : jvm.unpublished()) {
        json.writeStartObject();
        json.writeNumberField("pid", stub.process().pid());
        json.writeNumberField("parent_pid", stub.process().parent());
        json.writeNumberField("tracer_pid", stub.tracer());
        write(json, stub.process());
        json.writeEndObject();
      }
    }
    json.writeEndArray();
  }

  private static void write(JsonGenerator json, LivePool pool) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", pool.name());
    json.writeNumberField("jvm_pid", pool.jvm());
    JsonFields.number(json, "source_pid", pool.source().map(stub -> stub.process().pid()));
    json.writeNumberField("filter_instructions", pool.published().filterInstructions());
    json.writeNumberField("max_stubs", pool.published().maxStubs());
    json.writeNumberField("created", pool.published().created());
    json.writeNumberField("died", pool.published().died());
    for (StubState state : StubState.values()) {
      json.writeNumberField(PooledStub.nameOf(state), pool.count(state));
    }
    json.writeArrayFieldStart("stubs");
    for (PooledStub stub : pool.stubs()) {
      json.writeStartObject();
      json.writeNumberField("pid", stub.process().pid());
      json.writeStringField("state", stub.state());
      JsonFields.number(json, "for_ms", stub.since().map(Duration::toMillis));
      JsonFields.number(json, "lease", stub.lease());
      write(json, stub.process());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, ProcessStatus process) throws IOException {
    json.writeStringField("kernel_state", String.valueOf(process.state()));
    json.writeNumberField("rss_kb", process.residentKibibytes());
    json.writeNumberField("threads", process.threads());
  }
}
