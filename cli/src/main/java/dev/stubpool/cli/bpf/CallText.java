package dev.stubpool.cli.bpf;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SystemCallTable;
import java.io.IOException;
import java.util.Optional;

/** Formats a filter's input. */
final class CallText {
  private CallText() {}

  /** Formats it as one line of text. */
  static String of(SeccompData data) {
    Optional<Architecture> architecture = Architecture.of(data.arch(), data.nr());
    StringBuilder text = new StringBuilder();
    text.append(architecture.map(Architecture::label).orElse("arch " + hexadecimal(data.arch())))
        .append(' ')
        .append(
            architecture
                .flatMap(known -> SystemCallTable.of(known).name(data.nr()))
                .orElse("nr " + hexadecimal(data.nr())))
        .append('(');
    for (int i = 0; i < SeccompData.ARGUMENTS; i++) {
      text.append(i == 0 ? "" : ", ").append(hexadecimal(data.argument(i)));
    }
    text.append(')');
    if (data.instructionPointer() != 0) {
      text.append(" at ").append(hexadecimal(data.instructionPointer()));
    }
    return text.toString();
  }

  /** Writes it as an object that {@code sim --cases} reads. */
  static void write(JsonGenerator json, String field, SeccompData data) throws IOException {
    json.writeObjectFieldStart(field);
    json.writeStringField(
        "arch",
        Architecture.of(data.arch(), data.nr())
            .map(Architecture::label)
            .orElse(hexadecimal(data.arch())));
    json.writeNumberField("nr", data.nr());
    json.writeArrayFieldStart("args");
    for (int i = 0; i < SeccompData.ARGUMENTS; i++) {
      json.writeString(hexadecimal(data.argument(i)));
    }
    json.writeEndArray();
    json.writeStringField("ip", hexadecimal(data.instructionPointer()));
    json.writeEndObject();
  }

  private static String hexadecimal(int value) {
    return "0x" + Integer.toHexString(value);
  }

  private static String hexadecimal(long value) {
    return "0x" + Long.toHexString(value);
  }
}
