package dev.stubpool.bench.report;

import java.util.Locale;

/**
 * A drawing. It has a background of its own, so that it can be read on any page; the reader's
 * colour scheme decides which. The same calls always give the same text.
 */
final class Svg {
  private static final String STYLE =
      """
      <style>
      .back{fill:#fff;stroke:#d1d9e0}.grid{stroke:#e4e8ec}
      text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
      .title{font-size:15px;font-weight:600}.note,.tick{fill:#59636e}.right{text-anchor:end}.mid{text-anchor:middle}
      .bad{fill:#cf222e;font-weight:600}.f0{fill:#9aa4af}.gate{stroke:#cf222e;stroke-width:2}
      .f1{fill:#0969da}.f2{fill:#bc4c00}.f3{fill:#1a7f37}
      .s1{stroke:#0969da}.s2{stroke:#bc4c00}.s3{stroke:#1a7f37}.line{fill:none;stroke-width:2}.floor{stroke-dasharray:5 4}
      @media(prefers-color-scheme:dark){
      .back{fill:#0d1117;stroke:#3d444d}.grid{stroke:#262c36}
      text{fill:#f0f6fc}.note,.tick{fill:#9198a1}.bad{fill:#ff7b72}.f0{fill:#6e7781}.gate{stroke:#ff7b72}
      .f1{fill:#4493f8}.f2{fill:#f0883e}.f3{fill:#3fb950}.s1{stroke:#4493f8}.s2{stroke:#f0883e}.s3{stroke:#3fb950}
      }</style>
      """;

  private final StringBuilder text = new StringBuilder();

  Svg(int width, int height, String title, String note) {
    add(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                + " viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">",
            width,
            height,
            width,
            height,
            escaped(title)));
    text.append(STYLE);
    add(
        String.format(
            Locale.ROOT,
            "<rect class=\"back\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"6\"/>",
            width - 1,
            height - 1));
    text(16, 27, title, "title");
    text(16, 46, note, "note");
  }

  void text(double x, double y, String words, String classes) {
    String styled = classes.isEmpty() ? "" : " class=\"" + classes + "\"";
    add(
        String.format(
            Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\"%s>%s</text>", x, y, styled, escaped(words)));
  }

  void rect(double x, double y, double width, double height, String classes) {
    add(
        String.format(
            Locale.ROOT,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>",
            x,
            y,
            width,
            height,
            classes));
  }

  void line(double x1, double y1, double x2, double y2, String classes) {
    add(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>",
            x1,
            y1,
            x2,
            y2,
            classes));
  }

  void dot(double x, double y, String classes) {
    add(
        String.format(
            Locale.ROOT,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" class=\"%s\"/>",
            x,
            y,
            classes));
  }

  /** A line through points: x and y of each, in turn. */
  void path(double[] points, String classes) {
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < points.length; i += 2) {
      path.append(i == 0 ? "M" : " L");
      path.append(String.format(Locale.ROOT, "%.1f %.1f", points[i], points[i + 1]));
    }
    add(String.format(Locale.ROOT, "<path d=\"%s\" class=\"%s\"/>", path, classes));
  }

  private void add(String element) {
    text.append(element).append('\n');
  }

  private static String escaped(String words) {
    return words.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }

  /** The document. */
  @Override
  public String toString() {
    return text + "</svg>\n";
  }
}
