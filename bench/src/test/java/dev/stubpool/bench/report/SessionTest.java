package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.bench.report.Samples.Side;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SessionTest {
  @TempDir private Path bench;
  private final List<String> messages = new ArrayList<>();
  private Path order;

  @BeforeEach
  void write() throws IOException {
    order = Files.createFile(bench.resolve("order"));
    writeFloor("row");
    for (String checkout : List.of("here", "there")) {
      for (Class<?> type : List.of(PrintingBenchmark.class, Line.class)) {
        copy(type, bench.resolve(checkout));
      }
    }
  }

  private void writeFloor(String row) throws IOException {
    Path floor = bench.resolve("floor/build/floor");
    Files.createDirectories(floor.getParent());
    Files.writeString(
        floor,
        """
        #!/bin/sh
        printf 'floor ' >>%s
        echo '{"name":"%s","unit":"us","n":1,"p50":10.0}'
        """
            .formatted(order, row));
    Files.setPosixFilePermissions(floor, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void copy(Class<?> type, Path folder) throws IOException {
    String file = type.getName().replace('.', '/') + ".class";
    Files.createDirectories(folder.resolve(file).getParent());
    try (var in = type.getClassLoader().getResourceAsStream(file)) {
      Files.copy(in, folder.resolve(file));
    }
  }

  private Session session(String... options) {
    return new Session(
        Options.parse(options),
        bench,
        bench,
        BenchmarkJar.open(bench.resolve("here")),
        bench,
        messages::add);
  }

  private RowSpec row(String type, String needs) {
    return new RowSpec(
        "row",
        Group.INJECTION,
        new Run.Main(type, List.of(), List.of(order.toString(), "12.5")),
        Figure.P50,
        "row",
        Figure.P50,
        Optional.of(Gate.ofRatio(1.5)),
        needs);
  }

  @Test
  void shouldBeginEachRoundWithTheOtherSide() throws IOException {
    RowSpec row = row("PrintingBenchmark", "");

    Samples samples = session("injection", "--rounds", "3").besideFloors(List.of(row));

    assertThat(Files.readString(order)).isEqualTo("floor here here floor floor here ");
    assertThat(samples.figures(Side.FLOOR, "row", Figure.P50)).containsExactly(10, 10, 10);
    assertThat(samples.figures(Side.JAVA, "row", Figure.P50)).containsExactly(12.5, 12.5, 12.5);
    assertThat(Result.besideFloor(row, samples).verdict()).isEqualTo("pass");
  }

  @Test
  void shouldMeasureAnotherCheckoutInTheSameRounds() throws IOException {
    RowSpec row = row("PrintingBenchmark", "");
    BenchmarkJar other = BenchmarkJar.open(bench.resolve("there"));

    Samples samples = session("injection", "--rounds", "2").against(List.of(row), other);

    assertThat(Files.readString(order)).isEqualTo("there here here there ");
    assertThat(Result.against(row, samples).ratio()).isEqualTo(1);
  }

  @Test
  void shouldLeaveOutWhatTheOtherCheckoutDoesNotHave() {
    Session session = session("injection");
    BenchmarkJar other = BenchmarkJar.open(bench.resolve("floor"));

    Samples samples = session.against(List.of(row("PrintingBenchmark", "")), other);

    assertThat(samples.rows(Side.JAVA)).isEmpty();
    assertThat(session.leftOut()).singleElement().asString().contains("row", "PrintingBenchmark");
  }

  @Test
  void shouldLeaveOutWhatNeedsAFileThatThereIsNot() {
    Session session = session("injection");

    List<RowSpec> possible =
        session.possible(
            List.of(row("PrintingBenchmark", ""), row("PrintingBenchmark", "NO_SUCH_VARIABLE/x")));

    assertThat(possible).extracting(RowSpec::needs).containsExactly("");
    assertThat(session.leftOut()).containsExactly("row: NO_SUCH_VARIABLE names no folder with x");
    assertThat(messages).containsExactly("left out: row: NO_SUCH_VARIABLE names no folder with x");
  }

  @Test
  void shouldLeaveOutPeersThatCannotBeBuilt() throws IOException {
    Files.createDirectories(bench.resolve("peers/gvisor")); // without a program
    Session session = session("peers");

    Samples samples = session.besideFloors(List.of());

    assertThat(samples.rows(Side.PEER_PINNED, Side.PEER_UNPINNED)).isEmpty();
    assertThat(session.leftOut())
        .singleElement()
        .asString()
        .containsPattern("^peers: (Go is missing|gVisor cannot be built)");
  }

  @Test
  void shouldFailIfTheFloorOfAGatedRowSaysNothing() throws IOException {
    writeFloor("another");

    assertThatThrownBy(
            () -> session("injection").besideFloors(List.of(row("PrintingBenchmark", ""))))
        .isInstanceOf(BenchException.class)
        .hasMessageContaining("printed no row row");
  }
}
