package dev.stubpool.bench.report;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** All that was measured: for each side and row a line of each round. */
final class Samples {
  /** Who was measured. */
  enum Side {
    /** This checkout's library. */
    JAVA,
    /** The C floors. */
    FLOOR,
    /** Another checkout's library. */
    OTHER,
    /** Peers, on one CPU. */
    PEER_PINNED,
    /** Peers, on any CPU. */
    PEER_UNPINNED
  }

  private record Key(Side side, String row) {}

  private final int rounds;
  private final Map<Key, Line[]> lines = new LinkedHashMap<>();

  Samples(int rounds) {
    this.rounds = rounds;
  }

  int rounds() {
    return rounds;
  }

  /** Keeps what a round, counted from 0, has measured of a row. */
  void add(Side side, int round, String row, Line line) {
    Line[] all = lines.computeIfAbsent(new Key(side, row), key -> new Line[rounds]);
    if (all[round] != null) {
      throw new BenchException("measured twice in one round: " + row);
    }
    all[round] = line;
  }

  /** Keeps lines by the names that they have themselves. */
  void addAll(Side side, int round, List<Line> all) {
    all.forEach(line -> add(side, round, line.name(), line));
  }

  /** A row's figure in each round; NaN where there is none. */
  double[] figures(Side side, String row, Figure figure) {
    Line[] all = lines.getOrDefault(new Key(side, row), new Line[rounds]);
    return Arrays.stream(all)
        .mapToDouble(line -> line == null ? Double.NaN : figure.of(line))
        .toArray();
  }

  /** The rows of a side in the order in which they were first measured. */
  Set<String> rows(Side... sides) {
    Set<String> names = new LinkedHashSet<>();
    for (Key key : lines.keySet()) {
      if (Arrays.asList(sides).contains(key.side())) {
        names.add(key.row());
      }
    }
    return names;
  }
}
