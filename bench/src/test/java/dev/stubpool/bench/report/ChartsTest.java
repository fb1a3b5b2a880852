package dev.stubpool.bench.report;

import static dev.stubpool.bench.report.Fixtures.result;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.bench.report.Charts.Chart;
import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

class ChartsTest {
  private static final List<Result> RESULTS =
      Stream.of(
              "create",
              "recycle_1",
              "recycle_512",
              "spawn_child_0",
              "map_again_2560",
              "acquire_contended_1",
              "acquire_contended_1_mean",
              "acquire_contended_16")
          .map(name -> result(name, name.equals("create") ? Gate.ofRatio(1.25) : null, 12.9))
          .toList();

  private static Document parsed(String svg)
      throws ParserConfigurationException, IOException, SAXException {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
  }

  private static List<String> texts(Document document) {
    NodeList nodes = document.getElementsByTagName("text");
    return IntStream.range(0, nodes.getLength())
        .mapToObj(i -> nodes.item(i).getTextContent())
        .toList();
  }

  @Test
  void shouldDrawWellFormedCharts() throws Exception {
    List<Chart> charts = Charts.of(RESULTS);

    assertThat(charts).extracting(Chart::name).containsExactly("compared", "contended", "pages");
    for (Chart chart : charts) {
      Document document = parsed(chart.svg());
      assertThat(document.getDocumentElement().getTagName()).isEqualTo("svg");
      assertThat(texts(document)).contains(chart.title());
      assertThat(chart.svg()).doesNotContain("NaN").doesNotContain("Infinity");
    }
  }

  @Test
  void shouldMarkAMissedGate() throws Exception {
    assertThat(texts(parsed(Charts.of(RESULTS).getFirst().svg())))
        .contains("create", "10.0", "12.9", "1.29", "<= 1.25, missed");
  }

  @Test
  void shouldDrawNothingWithoutFigures() {
    assertThat(Charts.of(List.of())).isEmpty();
  }

  @Test
  void shouldEscapeText() throws Exception {
    String title = "a < b & \"c\"";

    Document document = parsed(new Svg(100, 100, title, "note").toString());

    assertThat(texts(document)).contains(title);
    assertThat(document.getDocumentElement().getAttribute("aria-label")).isEqualTo(title);
  }

  @Test
  void shouldScaleByWholeDecades() {
    LogScale scale = LogScale.of(1, 0.3, 45, Double.NaN, 0).orElseThrow();

    assertThat(scale).isEqualTo(new LogScale(-1, 2));
    assertThat(scale.at(0.1)).isZero();
    assertThat(scale.at(100)).isEqualTo(1);
    assertThat(LogScale.of(1, 100, 1000)).contains(new LogScale(2, 3));
    assertThat(LogScale.of(1, 10)).contains(new LogScale(1, 2));
    assertThat(LogScale.label(-2)).isEqualTo("0.01");
    assertThat(LogScale.label(0)).isEqualTo("1");
    assertThat(LogScale.label(2)).isEqualTo("100");
    assertThat(LogScale.label(4)).isEqualTo("10,000");
  }
}
