package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.BpfProgram;
import java.util.ArrayList;
import java.util.List;

/**
 * Prints the best pairs of average steps over all numbers and over slow calls for {@link
 * RacePolicy}, by searching longer than the compiler does, with different weights of the two. Takes
 * minutes; always prints the same.
 *
 * <p>In {@code seccomp-bpf}, after its tests were built: {@code java -cp
 * target/classes:target/test-classes dev.stubpool.seccomp.compiler.RaceSearch}.
 */
public final class RaceSearch {

  private RaceSearch() {}

  /**
   * Searches.
   *
   * @param args none
   */
  public static void main(String[] args) {
    List<Race> best = new ArrayList<>();
    for (List<Integer> widths :
        List.of(List.of(1), List.of(3, 2), List.of(6, 4, 3, 2, 2), List.of(12, 8, 6, 4, 3, 2, 2))) {
      for (int share = 0; share <= 20; share++) {
        Tuning tuning = new Tuning(share / 20.0, 0.0005, 0.05, widths, List.of(1), 3);
        Race race =
            Race.of(
                new BpfProgram(
                    Optimizer.compile(RacePolicy.policy(), CompilerOptions.DEFAULT, tuning)));
        if (best.stream().noneMatch(other -> isAsGood(other, race))) {
          best.removeIf(other -> isAsGood(race, other));
          best.add(race);
          System.out.println(race + ", slow share " + tuning.slowShare() + ", widths " + widths);
        }
      }
    }
    System.out.println("The best pairs:");
    best.stream().map(Race::toString).sorted().forEach(System.out::println);
  }

  private static boolean isAsGood(Race one, Race other) {
    return one.all().getAverage() <= other.all().getAverage()
        && one.slow().getAverage() <= other.slow().getAverage();
  }
}
