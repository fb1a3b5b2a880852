package dev.stubpool.seccomp.formats;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A JSON value with its location in the text. */
sealed interface Json {

  /** The limit for nesting; profiles have at most seven levels. */
  int MAX_DEPTH = 64;

  /** The limit for strings, in UTF-16 units; more than any profile needs. */
  int MAX_STRING = 1 << 16;

  Location location();

  /** The name of the value's type, for messages. */
  String kind();

  /** An object. Duplicate names are an error of the parser, so names are unique. */
  record Members(Location location, Map<String, Json> values, Map<String, Location> names)
      implements Json {
    @Override
    public String kind() {
      return "an object";
    }
  }

  record Elements(Location location, List<Json> values) implements Json {
    @Override
    public String kind() {
      return "an array";
    }
  }

  record Text(Location location, String value) implements Json {
    @Override
    public String kind() {
      return "a string";
    }
  }

  /** A number as written in the text. */
  record Numeral(Location location, String value) implements Json {
    @Override
    public String kind() {
      return "a number";
    }
  }

  record Bool(Location location, boolean value) implements Json {
    @Override
    public String kind() {
      return String.valueOf(value);
    }
  }

  record Null(Location location) implements Json {
    @Override
    public String kind() {
      return "null";
    }
  }

  /**
   * Parses a text that is a single value.
   *
   * @throws FormatException if it is not, an object has two members with one name, or there are
   *     more than {@value #MAX_DEPTH} levels
   */
  static Json parse(String text, String file) {
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(MAX_STRING)
                    .maxNameLength(MAX_STRING)
                    .build())
            .build();
    try (JsonParser parser = factory.createParser(text)) {
      Reader reader = new Reader(parser, file);
      try {
        return reader.only();
      } catch (JsonProcessingException e) {
        // the exception for an exceeded limit has no location
        JsonLocation location = e.getLocation();
        throw new FormatException(
            Reader.at(location == null ? parser.currentLocation() : location, file),
            e.getOriginalMessage());
      }
    } catch (IOException e) {
      throw new AssertionError("reading a string", e);
    }
  }

  /** Builds values from tokens; recursive, up to the parser's nesting limit. */
  final class Reader {
    private final JsonParser parser;
    private final String file;

    private Reader(JsonParser parser, String file) {
      this.parser = parser;
      this.file = file;
    }

    private Json only() throws IOException {
      if (parser.nextToken() == null) {
        throw new FormatException(new Location(file, 1, 1), "expected an object, found nothing");
      }
      Json value = value();
      if (parser.nextToken() != null) {
        throw new FormatException(here(), "expected nothing behind the last brace");
      }
      return value;
    }

    private Location here() {
      return at(parser.currentTokenLocation(), file);
    }

    private static Location at(JsonLocation location, String file) {
      return new Location(
          file, Math.max(1, location.getLineNr()), Math.max(1, location.getColumnNr()));
    }

    private Json value() throws IOException {
      Location location = here();
      return switch (parser.currentToken()) {
        case START_OBJECT -> members(location);
        case START_ARRAY -> elements(location);
        case VALUE_STRING -> new Text(location, parser.getText());
        case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Numeral(location, parser.getText());
        case VALUE_TRUE -> new Bool(location, true);
        case VALUE_FALSE -> new Bool(location, false);
        case VALUE_NULL -> new Null(location);
        default -> throw new AssertionError("no value begins with " + parser.currentToken());
      };
    }

    private Json members(Location location) throws IOException {
      Map<String, Json> values = new LinkedHashMap<>();
      Map<String, Location> names = new LinkedHashMap<>();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        Location nameLocation = here();
        Location earlier = names.putIfAbsent(name, nameLocation);
        if (earlier != null) {
          throw new FormatException(
              nameLocation,
              "\"%s\" is a duplicate, the first is in line %d"
                  .formatted(Messages.shorten(name), earlier.line()));
        }
        parser.nextToken();
        values.put(name, value());
      }
      return new Members(location, values, names);
    }

    private Json elements(Location location) throws IOException {
      List<Json> values = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        values.add(value());
      }
      return new Elements(location, values);
    }
  }
}
