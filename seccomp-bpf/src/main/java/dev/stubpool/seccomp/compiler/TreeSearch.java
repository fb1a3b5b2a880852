package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.bpf.Bpf;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Searches for a cheap tree of tests that finds the range of a 32-bit value.
 *
 * <p>A state is the rest of the problem: ranges with a target each, the known bits of the value,
 * and the weighted values that are still possible. Impossible ranges are dropped, so that ranges
 * with the same target become adjacent and are merged: after JEQ has removed a single value, its
 * neighbours are one range.
 *
 * <p>The cost of a tree is {@code size * tests + step * (sum over values of weight * tests on its
 * way)}. From each state the tests with the best estimates are followed, and the best result is
 * taken (beam search); the number of tests followed depends on the depth. The search is
 * deterministic.
 */
final class TreeSearch {

  /** Above this number, ranges are halved without a search. */
  private static final int SEARCHED_RANGES = 40;

  private static final long MAX_VALUE = 0xffff_ffffL;

  /** The distance from the middle within which the place for halving is chosen. */
  private static final int HALVING_REACH = 4;

  /**
   * The goal of a search.
   *
   * @param size the cost of a test's existence
   * @param step the cost of a test that is executed by the total weight
   * @param widths the number of tests followed at each depth; beyond the last one, 1
   * @param maxMaskBits the most bits that a JSET may test at once
   */
  record Goal(double size, double step, List<Integer> widths, int maxMaskBits) {

    Goal {
      widths = List.copyOf(widths);
    }
  }

  /**
   * The problem: the ranges to be distinguished.
   *
   * @param ends the last value of each range in order; the last range ends at the maximum
   * @param targets the target of each range; adjacent ranges have different ones
   * @param possible the bits that a value may have
   * @param values distinct values, in order
   * @param weights the weight of each value
   */
  record Problem(
      List<Long> ends,
      List<Integer> targets,
      long possible,
      List<Long> values,
      List<Double> weights) {

    Problem {
      ends = List.copyOf(ends);
      targets = List.copyOf(targets);
      values = List.copyOf(values);
      weights = List.copyOf(weights);
    }
  }

  private record Test(int jump, long k) {}

  private record Candidate(Test test, State ifTrue, State ifFalse, double estimate) {}

  private record Solution(double cost, Tree tree) {}

  private final Goal goal;
  private final long[] values;
  private final double[] weights;

  /** For each of 32 bits, the set of values that have it. */
  private final long[][] valuesWithBit = new long[Integer.SIZE][];

  /** The weight of most values, and the values with another weight. */
  private final double commonWeight;

  private final int[] special;
  private final int words;
  private final Map<State, Solution> solutions = new HashMap<>();

  private TreeSearch(Problem problem, Goal goal) {
    this.goal = goal;
    values = problem.values.stream().mapToLong(Long::longValue).toArray();
    weights = problem.weights.stream().mapToDouble(Double::doubleValue).toArray();
    words = (values.length + Long.SIZE - 1) / Long.SIZE;
    for (int bit = 0; bit < Integer.SIZE; bit++) {
      valuesWithBit[bit] = new long[words];
      for (int i = 0; i < values.length; i++) {
        if ((values[i] >>> bit & 1) != 0) {
          valuesWithBit[bit][i / Long.SIZE] |= 1L << i;
        }
      }
    }
    double[] sorted = weights.clone();
    Arrays.sort(sorted);
    commonWeight = sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] != commonWeight) {
        others.add(i);
      }
    }
    special = others.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * Searches for a tree.
   *
   * @param problem the ranges to be distinguished
   * @param goal the goal
   * @return the best tree found
   */
  static Tree solve(Problem problem, Goal goal) {
    TreeSearch search = new TreeSearch(problem, goal);
    return search.solve(search.start(problem), 0).tree;
  }

  private State start(Problem problem) {
    int n = problem.ends.size();
    State state = new State(n);
    for (int i = 0; i < n; i++) {
      state.add(
          i == 0 ? 0 : problem.ends.get(i - 1) + 1, problem.ends.get(i), problem.targets.get(i));
    }
    state.zero = ~problem.possible & MAX_VALUE;
    state.members = new long[words];
    for (int i = 0; i < values.length; i++) {
      state.members[i / Long.SIZE] |= 1L << i;
    }
    return state.restricted().finished();
  }

  private Solution solve(State state, int depth) {
    if (state.n == 1) {
      return new Solution(0, new Tree.Target(state.target[0]));
    }
    Solution known = solutions.get(state);
    if (known != null) {
      return known;
    }
    if (goal.step == 0 && state.n > SEARCHED_RANGES) {
      return new Solution(0, smallest(state));
    }
    List<Candidate> candidates = state.n > SEARCHED_RANGES ? halvings(state) : candidates(state);
    candidates.sort(Comparator.comparingDouble(Candidate::estimate));
    double own = goal.size + goal.step * state.weight;
    Solution best = null;
    int width = depth < goal.widths.size() ? goal.widths.get(depth) : 1;
    for (Candidate candidate : candidates.subList(0, Math.min(width, candidates.size()))) {
      Solution ifTrue = solve(candidate.ifTrue, depth + 1);
      if (best != null && own + ifTrue.cost >= best.cost) {
        continue;
      }
      Solution ifFalse = solve(candidate.ifFalse, depth + 1);
      double cost = own + ifTrue.cost + ifFalse.cost;
      if (best == null || cost < best.cost) {
        best = new Solution(cost, branch(candidate.test, ifTrue.tree, ifFalse.tree));
      }
    }
    solutions.put(state, best);
    return best;
  }

  /** Removes single values as long as their neighbours merge, then halves the rest. */
  private static Tree smallest(State state) {
    int[] stack = new int[state.n];
    int top = 0;
    List<Integer> singles = new ArrayList<>();
    for (int i = 0; i < state.n; i++) {
      if (top >= 2
          && state.target[stack[top - 2]] == state.target[i]
          && state.lo[stack[top - 1]] == state.hi[stack[top - 1]]) {
        singles.add(stack[--top]);
      } else {
        stack[top++] = i;
      }
    }
    Tree tree = halved(state, stack, 0, top);
    for (int i : singles.reversed()) {
      tree = new Tree.Branch(Bpf.JEQ, (int) state.lo[i], new Tree.Target(state.target[i]), tree);
    }
    return tree;
  }

  private static Tree halved(State state, int[] ranges, int begin, int end) {
    if (end - begin == 1) {
      return new Tree.Target(state.target[ranges[begin]]);
    }
    int middle = (begin + end) / 2;
    return new Tree.Branch(
        Bpf.JGE,
        (int) state.lo[ranges[middle]],
        halved(state, ranges, middle, end),
        halved(state, ranges, begin, middle));
  }

  private static Tree branch(Test test, Tree ifTrue, Tree ifFalse) {
    return ifTrue.equals(ifFalse)
        ? ifTrue
        : new Tree.Branch(test.jump, (int) test.k, ifTrue, ifFalse);
  }

  /**
   * Splits near the middle, preferably between two ranges of more than one value each; or removes a
   * single value that has a quarter of the weight.
   */
  private List<Candidate> halvings(State state) {
    List<Candidate> result = new ArrayList<>();
    addSignTests(state, result);
    double total = state.weight;
    double before = 0;
    int middle = 0;
    for (int i = 0; i < state.n - 1; i++) {
      before += state.weightIn(state.lo[i], state.hi[i]);
      if (before * 2 <= total) {
        middle = i + 1;
      }
    }
    middle = Math.clamp((middle + state.n / 2) / 2, state.n / 4, state.n - state.n / 4);
    int place = middle;
    for (int i = 0; i <= HALVING_REACH; i++) {
      if (state.isFree(middle - i) || state.isFree(middle + i)) {
        place = state.isFree(middle - i) ? middle - i : middle + i;
        break;
      }
    }
    addCandidate(result, state, new Test(Bpf.JGE, state.lo[place]), false);
    for (int i = 0; i < state.n; i++) {
      if (state.lo[i] == state.hi[i] && 4 * state.weightIn(state.lo[i], state.hi[i]) > total) {
        addCandidate(result, state, new Test(Bpf.JEQ, state.lo[i]), false);
      }
    }
    return result;
  }

  private void addSignTests(State state, List<Candidate> result) {
    addCandidate(result, state, new Test(Bpf.JSET, 0x4000_0000L), true);
  }

  private List<Candidate> candidates(State state) {
    List<Candidate> result = new ArrayList<>();
    for (int i = 0; i < state.n; i++) {
      if (state.lo[i] == state.hi[i]) {
        addCandidate(result, state, new Test(Bpf.JEQ, state.lo[i]), false);
      }
      if (i > 0) {
        addCandidate(result, state, new Test(Bpf.JGE, state.lo[i]), false);
      }
    }
    addMasks(state, result);
    return result;
  }

  private void addMasks(State state, List<Candidate> result) {
    long usedBits = 0;
    Map<Integer, Long> bitsOfTarget = new HashMap<>();
    for (int i = 0; i < state.n; i++) {
      if (state.lo[i] == state.hi[i]) {
        bitsOfTarget.merge(state.target[i], state.lo[i], (a, b) -> a | b);
      }
    }
    bitsOfTarget
        .values()
        .forEach(bits -> addCandidate(result, state, new Test(Bpf.JSET, ~bits & MAX_VALUE), true));
    addSignTests(state, result);
    if (goal.maxMaskBits == 0) {
      return;
    }
    for (int i = 0; i < values.length; i++) {
      if ((state.members[i / Long.SIZE] >>> i & 1) != 0 && values[i] < 0x4000_0000L) {
        usedBits |= values[i];
      }
    }
    usedBits &= ~state.zero & ~state.one;
    addMasks(state, result, usedBits, 0, goal.maxMaskBits);
  }

  private void addMasks(State state, List<Candidate> result, long bits, long mask, int left) {
    if (mask != 0) {
      addCandidate(result, state, new Test(Bpf.JSET, mask), true);
    }
    if (left == 0) {
      return;
    }
    for (long rest = bits; rest != 0; ) {
      long bit = Long.highestOneBit(rest);
      rest ^= bit;
      addMasks(state, result, rest, mask | bit, left - 1);
    }
  }

  private void addCandidate(List<Candidate> result, State state, Test test, boolean mustSimplify) {
    State ifTrue = state.after(test, true);
    State ifFalse = state.after(test, false);
    if (ifTrue.n == 0 || ifFalse.n == 0) {
      return;
    }
    if (mustSimplify && (ifTrue.tests >= state.tests || ifFalse.tests >= state.tests)) {
      return;
    }
    result.add(new Candidate(test, ifTrue, ifFalse, estimate(ifTrue) + estimate(ifFalse)));
  }

  private double estimate(State state) {
    double halving = state.weight * log2(state.tests + 1);
    double heaviestFirst = state.weight + (state.weight - state.heaviest) * log2(state.tests);
    return state.tests * goal.size
        + goal.step * (state.tests == 0 ? 0 : Math.min(halving, heaviestFirst));
  }

  private static double log2(int x) {
    return Math.log(x) / Math.log(2);
  }

  /**
   * The least number from x up that has none of the bits of {@code zero} and all of {@code one}; -1
   * if there is none.
   */
  static long nextFit(long x, long zero, long one) {
    if ((x & zero) == 0 && (~x & one) == 0) {
      return x;
    }
    for (int bit = 0; bit < Integer.SIZE; bit++) {
      if ((x >>> bit & 1) == 0) {
        long low = (1L << bit) - 1;
        long y = (x & ~low) | 1L << bit | (one & low);
        if ((y & zero) == 0 && (~y & one) == 0) {
          return y;
        }
      }
    }
    return -1;
  }

  /**
   * The greatest number up to x that has none of the bits of {@code zero} and all of {@code one};
   * -1 if there is none.
   */
  static long previousFit(long x, long zero, long one) {
    // Mirrored: x's complement, with the masks exchanged.
    long mirrored = nextFit(~x & MAX_VALUE, /* zero= */ one, /* one= */ zero);
    return mirrored < 0 ? -1 : ~mirrored & MAX_VALUE;
  }

  /** The rest of the problem. Compared by value. */
  private final class State {
    private final long[] lo;
    private final long[] hi;
    private final int[] target;
    private int n;
    private long zero;
    private long one;
    private long[] members;

    /** Derived: the total weight of the possible values. */
    private double weight;

    /** Derived: the greatest weight of a possible value, unless it is the common one. */
    private double heaviest;

    /** Derived: an estimate of the number of tests needed. */
    private int tests;

    private int hash;

    State(int capacity) {
      lo = new long[capacity];
      hi = new long[capacity];
      target = new int[capacity];
    }

    /** Appends a range; it is merged with the last one if that has the same target. */
    void add(long from, long to, int to1) {
      if (n > 0 && target[n - 1] == to1) {
        hi[n - 1] = to;
        return;
      }
      lo[n] = from;
      hi[n] = to;
      target[n++] = to1;
    }

    /** The state without the ranges and values that contradict the known bits. */
    State restricted() {
      State result = new State(n);
      result.zero = zero;
      result.one = one;
      result.members = members;
      for (int i = 0; i < n; i++) {
        long from = nextFit(lo[i], zero, one);
        if (from >= 0 && from <= hi[i]) {
          result.add(from, previousFit(hi[i], zero, one), target[i]);
        }
      }
      return result;
    }

    State finished() {
      weight = 0;
      for (int i = 0; i < members.length; i++) {
        weight += Long.bitCount(members[i]) * commonWeight;
      }
      for (int i : special) {
        if ((members[i / Long.SIZE] >>> i & 1) != 0) {
          weight += weights[i] - commonWeight;
          heaviest = Math.max(heaviest, weights[i]);
        }
      }
      // A single value between ranges with one target needs a test; so does every other boundary.
      int[] stack = new int[n];
      int top = 0;
      int singles = 0;
      for (int i = 0; i < n; i++) {
        if (top >= 2
            && target[stack[top - 2]] == target[i]
            && lo[stack[top - 1]] == hi[stack[top - 1]]) {
          top--;
          singles++;
        } else {
          stack[top++] = i;
        }
      }
      tests = singles + Math.max(0, top - 1);
      hash =
          Arrays.hashCode(members) ^ Long.hashCode(zero * 31 + one) ^ hash(lo) * 7 ^ hash(hi) * 31;
      return this;
    }

    private int hash(long[] array) {
      int result = n;
      for (int i = 0; i < n; i++) {
        result = 31 * result + Long.hashCode(array[i]);
      }
      return result;
    }

    double weightIn(long from, long to) {
      double result = 0;
      int begin = Arrays.binarySearch(values, from);
      for (int i = begin < 0 ? ~begin : begin; i < values.length && values[i] <= to; i++) {
        if ((members[i / Long.SIZE] >>> i & 1) != 0) {
          result += weights[i];
        }
      }
      return result;
    }

    /** Whether both ranges at a boundary have more than one value. */
    boolean isFree(int range) {
      return lo[range - 1] != hi[range - 1] && lo[range] != hi[range];
    }

    State after(Test test, boolean holds) {
      return switch (test.jump) {
        case Bpf.JEQ -> afterEqual(test.k, holds);
        case Bpf.JGE -> afterGreaterOrEqual(test.k, holds);
        default -> afterMask(test.k, holds);
      };
    }

    private State afterEqual(long k, boolean holds) {
      State result = new State(n);
      result.zero = zero;
      result.one = one;
      int index = Arrays.binarySearch(values, k);
      if (holds) {
        for (int i = 0; i < n; i++) {
          if (lo[i] <= k && k <= hi[i]) {
            result.add(k, k, target[i]);
          }
        }
        result.members = new long[words];
        if (index >= 0) {
          result.members[index / Long.SIZE] |= members[index / Long.SIZE] & 1L << index;
        }
      } else {
        for (int i = 0; i < n; i++) {
          if (lo[i] != k || hi[i] != k) {
            result.add(lo[i], hi[i], target[i]);
          }
        }
        result.members = members.clone();
        if (index >= 0) {
          result.members[index / Long.SIZE] &= ~(1L << index);
        }
      }
      return result.finished();
    }

    private State afterGreaterOrEqual(long k, boolean holds) {
      State result = new State(n);
      result.zero = zero;
      result.one = one;
      for (int i = 0; i < n; i++) {
        long from = holds ? Math.max(lo[i], k) : lo[i];
        long to = holds ? hi[i] : Math.min(hi[i], k - 1);
        if (from <= to) {
          result.add(from, to, target[i]);
        }
      }
      int place = Arrays.binarySearch(values, k);
      int first = place < 0 ? ~place : place;
      result.members = members.clone();
      for (int word = 0; word < words; word++) {
        int begin = word * Long.SIZE;
        long below =
            first >= begin + Long.SIZE ? -1L : first <= begin ? 0 : (1L << (first - begin)) - 1;
        result.members[word] &= holds ? ~below : below;
      }
      return result.restricted().finished();
    }

    private State afterMask(long mask, boolean holds) {
      State result = new State(n);
      result.zero = zero;
      result.one = one;
      if (holds) {
        if (Long.bitCount(mask & ~zero) == 1) {
          result.one |= mask & ~zero;
        }
      } else {
        result.zero |= mask;
      }
      if ((result.zero & result.one) != 0) {
        return result; // impossible
      }
      result.members = new long[words];
      for (int word = 0; word < words; word++) {
        long any = 0;
        for (long rest = mask; rest != 0; rest &= rest - 1) {
          any |= valuesWithBit[Long.numberOfTrailingZeros(rest)][word];
        }
        result.members[word] = members[word] & (holds ? any : ~any);
      }
      for (int i = 0; i < n; i++) {
        if (lo[i] == hi[i] && ((lo[i] & mask) != 0) != holds) {
          continue;
        }
        long from = nextFit(lo[i], result.zero, result.one);
        if (from >= 0 && from <= hi[i]) {
          long to = previousFit(hi[i], result.zero, result.one);
          if (from != to || ((from & mask) != 0) == holds) {
            result.add(from, to, target[i]);
          }
        }
      }
      return result.finished();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof State state
          && hash == state.hash
          && n == state.n
          && zero == state.zero
          && one == state.one
          && Arrays.equals(members, state.members)
          && Arrays.equals(lo, 0, n, state.lo, 0, n)
          && Arrays.equals(hi, 0, n, state.hi, 0, n)
          && Arrays.equals(target, 0, n, state.target, 0, n);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }
}
