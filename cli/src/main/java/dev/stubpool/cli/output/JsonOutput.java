package dev.stubpool.cli.output;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/** Prints one JSON object on one line, completely or not at all. */
public final class JsonOutput {
  private static final JsonFactory FACTORY = new JsonFactory();

  /** A writer of an object's fields. */
  @FunctionalInterface
  public interface Fields {
    /** Writes the fields. */
    void to(JsonGenerator json) throws IOException;
  }

  private JsonOutput() {}

  /** Prints an object and a line end. */
  public static void print(PrintWriter out, Fields fields) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(text)) {
      json.writeStartObject();
      fields.to(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.println(text);
    out.flush();
  }
}
