package dev.stubpool.cli.demo;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** The demo's measurements as JSON. A measurement that was not reached is null. */
final class Figures {
  private static final int DECIMALS = 2;

  private final int stubs;
  private Integer sourcePid;
  private Distribution create;
  private Double batchMicros;
  private Double acquireWarmNanos;
  private Double recycleMicros;
  private Double injectMicros;
  private Integer filterInstructions;
  private Integer leaked;

  Figures(int stubs) {
    this.stubs = stubs;
  }

  void source(int pid, int instructions) {
    sourcePid = pid;
    filterInstructions = instructions;
  }

  void create(Distribution value) {
    create = value;
  }

  void batchMicros(double value) {
    batchMicros = value;
  }

  void acquireWarmNanos(double value) {
    acquireWarmNanos = value;
  }

  void recycleMicros(double value) {
    recycleMicros = value;
  }

  void injectMicros(double value) {
    injectMicros = value;
  }

  void leaked(int value) {
    leaked = value;
  }

  void writeTo(JsonGenerator json) throws IOException {
    json.writeNumberField("stubs", stubs);
    write(json, "source_pid", sourcePid);
    if (create == null) {
      json.writeNullField("create_us");
    } else {
      json.writeObjectFieldStart("create_us");
      write(json, "p50", create.p50());
      write(json, "p90", create.p90());
      write(json, "p99", create.p99());
      write(json, "min", create.min());
      json.writeEndObject();
    }
    write(json, "batch_us", batchMicros);
    write(json, "acquire_warm_ns", acquireWarmNanos);
    write(json, "recycle_us", recycleMicros);
    write(json, "inject_us", injectMicros);
    json.writeObjectFieldStart("filter");
    write(json, "instructions", filterInstructions);
    json.writeEndObject();
    write(json, "leaked", leaked);
  }

  private static void write(JsonGenerator json, String name, Integer value) throws IOException {
    if (value == null) {
      json.writeNullField(name);
    } else {
      json.writeNumberField(name, value);
    }
  }

  private static void write(JsonGenerator json, String name, Double value) throws IOException {
    if (value == null) {
      json.writeNullField(name);
    } else {
      json.writeNumberField(
          name, BigDecimal.valueOf(value).setScale(DECIMALS, RoundingMode.HALF_UP));
    }
  }
}
