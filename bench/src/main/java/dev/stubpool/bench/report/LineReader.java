package dev.stubpool.bench.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.List;

/** Reads {@linkplain Line lines}. */
final class LineReader {
  private static final JsonFactory JSON = new JsonFactory();
  private static final String BEGIN = "{";

  private LineReader() {}

  /**
   * Reads the lines in a program's output; what is not a JSON object is a message.
   *
   * @throws BenchException if a JSON object is not such a line
   */
  static List<Line> read(String output) {
    return output.lines().filter(line -> line.startsWith(BEGIN)).map(LineReader::readOne).toList();
  }

  private static Line readOne(String text) {
    String name = null;
    double p50 = Double.NaN;
    double mean = Double.NaN;
    try (JsonParser json = JSON.createParser(text)) {
      json.nextToken();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        json.nextToken();
        switch (key) {
          case "name" -> name = json.getText();
          case "p50" -> p50 = json.getDoubleValue();
          case "mean" -> mean = json.getDoubleValue();
          default -> json.skipChildren();
        }
      }
    } catch (IOException e) {
      throw new BenchException("not a line of figures: " + text, e);
    }
    if (name == null || (Double.isNaN(p50) && Double.isNaN(mean))) {
      throw new BenchException("neither p50 nor mean of a named row: " + text);
    }
    return new Line(name, p50, mean);
  }
}
