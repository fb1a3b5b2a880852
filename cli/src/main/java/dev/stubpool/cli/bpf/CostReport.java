package dev.stubpool.cli.bpf;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.bpf.BpfCost;
import dev.stubpool.seccomp.bpf.BpfProgram;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.PrimitiveIterator.OfInt;
import java.util.stream.Collectors;

/** The costs of a program, as text and as JSON. */
final class CostReport {

  /** The most names that are printed in the text. */
  private static final int MAX_NAMES = 12;

  private final BpfCost cost;
  private final Map<Architecture, BitSet> alwaysAllowed = new EnumMap<>(Architecture.class);

  /** Computes the costs of a valid program. */
  CostReport(BpfProgram program) {
    cost = BpfCost.of(program);
    for (Architecture architecture : Architecture.values()) {
      BitSet numbers = BpfCost.alwaysAllowed(program, architecture);
      if (!numbers.isEmpty()) {
        alwaysAllowed.put(architecture, numbers);
      }
    }
  }

  void print(PrintWriter out) {
    out.println("instructions  " + cost.instructions());
    out.println("as eBPF       " + cost.ebpfLength());
    out.println("stackable     " + cost.stackable() + " times in a thread");
    out.println("steps         " + cost.minSteps() + " to " + cost.maxSteps());
    if (alwaysAllowed.isEmpty()) {
      out.println("in bitmap     nothing");
    }
    alwaysAllowed.forEach(
        (architecture, numbers) ->
            out.println(
                "in bitmap     " + architecture.label() + ": " + names(architecture, numbers)));
  }

  private static String names(Architecture architecture, BitSet numbers) {
    if (numbers.cardinality() > MAX_NAMES) {
      return String.format(Locale.ROOT, "%,d numbers", numbers.cardinality());
    }
    SystemCallTable table = SystemCallTable.of(architecture);
    return numbers.stream()
        .mapToObj(nr -> table.name(nr).orElse(Integer.toString(nr)))
        .collect(Collectors.joining(", "));
  }

  void write(JsonGenerator out) throws IOException {
    out.writeNumberField("instructions", cost.instructions());
    out.writeNumberField("ebpf_length", cost.ebpfLength());
    out.writeNumberField("stackable", cost.stackable());
    out.writeNumberField("min_steps", cost.minSteps());
    out.writeNumberField("max_steps", cost.maxSteps());
    out.writeObjectFieldStart("bitmap");
    for (Map.Entry<Architecture, BitSet> entry : alwaysAllowed.entrySet()) {
      out.writeArrayFieldStart(entry.getKey().label());
      for (OfInt nr = entry.getValue().stream().iterator(); nr.hasNext(); ) {
        out.writeNumber(nr.nextInt());
      }
      out.writeEndArray();
    }
    out.writeEndObject();
  }
}
