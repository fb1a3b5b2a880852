package dev.stubpool.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads what commands print for machines. */
public final class JsonText {
  private JsonText() {}

  /**
   * The values of a text that is one object, by their paths, such as {@code /filter/instructions}.
   */
  public static Map<String, String> values(String text) throws IOException {
    Map<String, String> values = new LinkedHashMap<>();
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      assertThat(parser.nextToken()).isEqualTo(JsonToken.START_OBJECT);
      JsonToken token;
      int depth = 1;
      while (depth > 0) {
        token = parser.nextToken();
        if (token.isStructStart()) {
          depth++;
        } else if (token.isStructEnd()) {
          depth--;
        } else if (token.isScalarValue()) {
          values.put(parser.getParsingContext().pathAsPointer().toString(), parser.getText());
        }
      }
      assertThat(parser.nextToken()).as("what follows the object").isNull();
    }
    return values;
  }
}
