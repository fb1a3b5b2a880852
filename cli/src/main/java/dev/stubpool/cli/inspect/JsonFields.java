package dev.stubpool.cli.inspect;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Optional;

/** Writes fields that are null if a value is unknown. */
final class JsonFields {
  private JsonFields() {}

  static void text(JsonGenerator json, String name, Optional<String> value) throws IOException {
    json.writeStringField(name, value.orElse(null));
  }

  static void number(JsonGenerator json, String name, Optional<? extends Number> value)
      throws IOException {
    if (value.isPresent()) {
      json.writeNumberField(name, value.get().longValue());
    } else {
      json.writeNullField(name);
    }
  }
}
