package dev.stubpool.cli.output;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** A table with a header and aligned columns, in the style of ps(1). */
public final class TextTable {
  /**
   * A column.
   *
   * @param header its title
   * @param isNumber whether to align it to the right
   */
  public record Column(String header, boolean isNumber) {
    /** A column of text. */
    public static Column text(String header) {
      return new Column(header, false);
    }

    /** A column of numbers. */
    public static Column number(String header) {
      return new Column(header, true);
    }
  }

  private final List<Column> columns;
  private final int[] widths;
  private final List<List<String>> rows = new ArrayList<>();

  /** Creates an empty table. */
  public TextTable(Column... columns) {
    this.columns = List.of(columns);
    this.widths = new int[columns.length];
    add(this.columns.stream().map(Column::header).toList());
  }

  /** Adds a row with a cell for each column. */
  public void add(List<String> cells) {
    for (int i = 0; i < widths.length; i++) {
      widths[i] = Math.max(widths[i], cells.get(i).length());
    }
    rows.add(cells);
  }

  /** Prints the header and all rows. */
  public void print(PrintWriter out) {
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String padding = " ".repeat(widths[i] - row.get(i).length());
        line.append(i == 0 ? "" : " ")
            .append(columns.get(i).isNumber() ? padding + row.get(i) : row.get(i) + padding);
      }
      out.write(line.toString().stripTrailing());
      out.write(System.lineSeparator());
    }
    out.flush();
  }
}
