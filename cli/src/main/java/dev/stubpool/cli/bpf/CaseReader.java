package dev.stubpool.cli.bpf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.seccomp.SeccompData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads a case of a simulation: a JSON object with {@code arch}, {@code nr}, {@code args} and
 * {@code ip}. Numbers may be strings, which may be hexadecimal. Other fields are ignored.
 */
final class CaseReader {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(20).build())
          .build();

  private Optional<String> architecture = Optional.empty();
  private Optional<String> nr = Optional.empty();
  private long instructionPointer;
  private final List<Long> arguments = new ArrayList<>();

  private CaseReader() {}

  /**
   * Reads a case.
   *
   * @throws IllegalArgumentException if the line is not a case; the message is one line
   */
  static SeccompData read(String line) {
    CaseReader reader = new CaseReader();
    try (JsonParser json = FACTORY.createParser(line)) {
      reader.object(json);
      if (json.nextToken() != null) {
        throw new IllegalArgumentException("unexpected text after the object");
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "invalid JSON: " + Printable.of(e.getOriginalMessage().replaceAll("\\s+", " ")), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    CallCase call = CallCase.of(reader.architecture.orElseThrow(() -> missing("arch")));
    int number = call.number(reader.nr.orElseThrow(() -> missing("nr")));
    return call.data(number, reader.instructionPointer, reader.arguments);
  }

  private static IllegalArgumentException missing(String field) {
    return new IllegalArgumentException("\"" + field + "\" is missing");
  }

  private void object(JsonParser json) throws IOException {
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw new IllegalArgumentException("expected a JSON object");
    }
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      switch (name) {
        case "arch" -> architecture = Optional.of(scalar(json, name));
        case "nr" -> nr = Optional.of(scalar(json, name));
        case "ip" -> instructionPointer = number(json, name);
        case "args" -> arguments(json);
        default -> json.skipChildren();
      }
    }
  }

  private void arguments(JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw new IllegalArgumentException("\"args\" must be an array");
    }
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (arguments.size() == SeccompData.ARGUMENTS) {
        throw new IllegalArgumentException("a system call has at most six arguments");
      }
      arguments.add(number(json, "args[" + arguments.size() + "]"));
    }
  }

  private static long number(JsonParser json, String name) throws IOException {
    String text = scalar(json, name);
    return Numbers.parse64(text)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "\"%s\" is not a 64-bit number: %s".formatted(name, Printable.of(text))));
  }

  private static String scalar(JsonParser json, String name) throws IOException {
    return switch (json.currentToken()) {
      case VALUE_STRING, VALUE_NUMBER_INT -> json.getText();
      default ->
          throw new IllegalArgumentException("\"" + name + "\" must be a string or an integer");
    };
  }
}
