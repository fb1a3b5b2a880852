package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The cost model: frequencies of calls, the price of an instruction, and the cost of a program.
 *
 * <p>Frequencies of argument values are unknown. A call with conditions is assumed to get an answer
 * other than the default, by any of the paths that lead to one with equal weight.
 */
final class Costs {

  /** The numbers that count if no weights are given: those of x86-64 in Linux 6.10. */
  private static final int COMMON_NUMBERS = 463;

  /** The weight of a path to the default answer, relative to a path to another answer. */
  private static final double DEFAULT_WAY = 0.001;

  private static final Operand NUMBER = new Operand.Word(SeccompData.NR_OFFSET);
  private static final Operand ARCHITECTURE = new Operand.Word(SeccompData.ARCH_OFFSET);

  private record Question(TreeSearch.Problem problem, TreeSearch.Goal goal) {}

  private record Place(Block block, int entry) {}

  private record Ways(double weight, double steps) {}

  private final CompilerOptions options;
  private final Tuning tuning;
  private final int defaultValue;

  /** Frequencies of unsigned numbers; their sum is 1 for each architecture. */
  private final Map<Architecture, NavigableMap<Long, Double>> weights =
      new EnumMap<>(Architecture.class);

  private final Map<Diagram.Choice, NavigableMap<Long, Double>> numberWeights = new HashMap<>();
  private final Map<Diagram.Node, Double> ways = new HashMap<>();
  private final Map<Diagram.Choice, Tree> treeOfChoice = new HashMap<>();

  /** Test trees by question, since different choices may need the same tree. */
  private final Map<Question, Tree> trees = new HashMap<>();

  Costs(SeccompPolicy policy, CompilerOptions options, Tuning tuning) {
    this.options = options;
    this.tuning = tuning;
    defaultValue = policy.defaultAction().encode();
    policy
        .rules()
        .forEach(
            (architecture, _) ->
                weights.put(
                    architecture, weights(architecture, options.weights().get(architecture))));
  }

  private static NavigableMap<Long, Double> weights(
      Architecture architecture, Map<Integer, Double> given) {
    NavigableMap<Long, Double> result = new TreeMap<>();
    long first = architecture == Architecture.X32 ? Architecture.X32_BIT : 0;
    for (int i = 0; i < COMMON_NUMBERS; i++) {
      result.put(first + i, 1.0);
    }
    if (given != null) {
      given.forEach((nr, weight) -> result.put(Integer.toUnsignedLong(nr), weight));
    }
    double sum = result.values().stream().mapToDouble(Double::doubleValue).sum();
    if (sum > 0) {
      result.replaceAll((_, weight) -> weight / sum);
    }
    return result;
  }

  /**
   * Registers a node as the choice between the numbers of an architecture.
   *
   * @param node the node
   * @param audit the architecture's AUDIT_ARCH value
   * @param conditional the diagrams of the numbers that have conditions, in any order
   */
  void chooses(Diagram.Node node, int audit, Map<Long, Diagram.Node> conditional) {
    if (node instanceof Diagram.Choice choice) {
      numberWeights.computeIfAbsent(choice, _ -> numberWeights(audit, conditional));
    }
  }

  private boolean isSpeed() {
    return options.optimize() == Optimization.SPEED;
  }

  /** The total weight of the conditional calls, where all other weights sum to 1. */
  private double slowShare() {
    return options.weights().isEmpty() ? tuning.slowShare() : 0;
  }

  /** The number of paths that lead to answers other than the default. */
  private double ways(Diagram.Node node) {
    Double known = ways.get(node);
    if (known == null) {
      known =
          switch (node) {
            case Diagram.Leaf(int value) -> value == defaultValue ? 0.0 : 1.0;
            case Diagram.Choice choice -> {
              double sum = 0;
              for (int i = 0; i < choice.size(); i++) {
                sum += ways(choice.child(i)) * Math.min(2, choice.hi(i) - choice.lo(i) + 1);
              }
              yield sum;
            }
          };
      ways.put(node, known);
    }
    return known;
  }

  /** Whether a choice is between system calls. */
  static boolean isByNumber(Diagram.Choice choice) {
    return choice.operand().equals(NUMBER);
  }

  /** The test tree of a choice; its targets are indices into {@link BlockBuilder#targets}. */
  Tree tree(Diagram.Choice choice) {
    Tree known = treeOfChoice.get(choice);
    if (known == null) {
      known = search(choice);
      treeOfChoice.put(choice, known);
    }
    return known;
  }

  private Tree search(Diagram.Choice choice) {
    List<Diagram.Node> targets = BlockBuilder.targets(choice);
    Map<Diagram.Node, Integer> numbers = new HashMap<>();
    for (Diagram.Node target : targets) {
      numbers.put(target, numbers.size());
    }
    List<Long> ends = new ArrayList<>();
    List<Integer> children = new ArrayList<>();
    for (int i = 0; i < choice.size(); i++) {
      ends.add(choice.hi(i));
      children.add(numbers.get(choice.child(i)));
    }
    boolean byNumber = isByNumber(choice);
    NavigableMap<Long, Double> values = byNumber ? numberWeights.get(choice) : rangeWeights(choice);
    TreeSearch.Problem problem =
        new TreeSearch.Problem(
            ends,
            children,
            choice.operand().max(),
            List.copyOf(values.keySet()),
            List.copyOf(values.values()));
    TreeSearch.Goal goal =
        isSpeed()
            ? new TreeSearch.Goal(
                tuning.stepsPerInstruction(),
                byNumber ? 1 : slowShare() / 2 + 0.1,
                tuning.speedWidths(),
                byNumber ? tuning.maskBits() : 0)
            : new TreeSearch.Goal(
                1,
                byNumber ? tuning.instructionsPerStep() : tuning.instructionsPerStep() / 2,
                tuning.sizeWidths(),
                byNumber ? 1 : 0);
    return trees.computeIfAbsent(
        new Question(problem, goal), question -> TreeSearch.solve(question.problem, question.goal));
  }

  private NavigableMap<Long, Double> numberWeights(int audit, Map<Long, Diagram.Node> conditional) {
    NavigableMap<Long, Double> result = new TreeMap<>();
    weights.forEach(
        (architecture, byNumber) -> {
          if (architecture.auditValue() == audit) {
            result.putAll(byNumber);
          }
        });
    Map<Long, Double> slow = new TreeMap<>();
    double sum = 0;
    for (Map.Entry<Long, Diagram.Node> entry : conditional.entrySet()) {
      if (entry.getValue() instanceof Diagram.Choice choice) {
        slow.put(entry.getKey(), ways(choice));
        sum += ways(choice);
      }
    }
    if (sum > 0) {
      double share = slowShare() / sum;
      slow.forEach((nr, count) -> result.merge(nr, count * share, Double::sum));
    }
    return result;
  }

  private NavigableMap<Long, Double> rangeWeights(Diagram.Choice choice) {
    NavigableMap<Long, Double> result = new TreeMap<>();
    double sum = 0;
    for (int i = 0; i < choice.size(); i++) {
      double weight = Math.max(ways(choice.child(i)), DEFAULT_WAY);
      sum += weight;
      result.merge(choice.lo(i), weight / 2, Double::sum);
      result.merge(choice.hi(i), weight / 2, Double::sum);
    }
    double all = sum;
    result.replaceAll((_, weight) -> weight / all);
    return result;
  }

  /** The cost of a program; less is better. */
  double of(List<BpfInstruction> code, Block root) {
    double steps = steps(root);
    return isSpeed()
        ? steps + code.size() * tuning.stepsPerInstruction()
        : code.size() + steps * tuning.instructionsPerStep();
  }

  private double steps(Block root) {
    Map<Place, Ways> known = new HashMap<>();
    double result = 0;
    for (Map.Entry<Architecture, NavigableMap<Long, Double>> entry : weights.entrySet()) {
      NavigableMap<Long, Double> byNumber = entry.getValue();
      int[] numbers = byNumber.keySet().stream().mapToInt(Long::intValue).toArray();
      double[] shares = byNumber.values().stream().mapToDouble(Double::doubleValue).toArray();
      Steps steps = new Steps(entry.getKey().auditValue(), known);
      steps.visit(root, 0, numbers, shares, numbers.length, 0);
      result += steps.all;
      result += steps.slowWeight == 0 ? 0 : slowShare() * steps.slow / steps.slowWeight;
    }
    return result / weights.size();
  }

  /** Counts the steps of all numbers of an architecture. */
  private final class Steps {
    private final int arch;
    private final Map<Place, Ways> known;
    private double all;
    private double slow;
    private double slowWeight;

    Steps(int arch, Map<Place, Ways> known) {
      this.arch = arch;
      this.known = known;
    }

    /** Sends numbers with their shares through a block; all have made {@code before} steps. */
    void visit(Block block, int entry, int[] numbers, double[] shares, int n, int before) {
      if (n == 0) {
        return;
      }
      if (block instanceof Block.Test test && test.source().value().equals(NUMBER)) {
        int after = before + test.source().instructions().size() - entry + 1;
        for (boolean outcome : new boolean[] {true, false}) {
          int[] left = new int[n];
          double[] leftShares = new double[n];
          int count = 0;
          for (int i = 0; i < n; i++) {
            if (holds(test, numbers[i]) == outcome) {
              left[count] = numbers[i];
              leftShares[count++] = shares[i];
            }
          }
          Block next = outcome ? test.ifTrue() : test.ifFalse();
          visit(next, entry(test, next), left, leftShares, count, after);
        }
      } else if (block instanceof Block.Test test && test.source().value().equals(ARCHITECTURE)) {
        int after = before + test.source().instructions().size() - entry + 1;
        Block next = holds(test, arch) ? test.ifTrue() : test.ifFalse();
        visit(next, entry(test, next), numbers, shares, n, after);
      } else {
        for (int i = 0; i < n; i++) {
          Ways ways = new Walk(arch, numbers[i], known).from(block, entry);
          all += shares[i] * (before + ways.steps / ways.weight);
          if (block instanceof Block.Test && ways.weight >= 1) {
            slow += before * ways.weight + ways.steps;
            slowWeight += ways.weight;
          }
        }
      }
    }
  }

  private static int entry(Block.Test from, Block to) {
    return to instanceof Block.Test test ? test.source().entry(from.source().value()) : 0;
  }

  /** The paths of one number through blocks. */
  private final class Walk {
    private final int arch;
    private final int nr;
    private final Map<Place, Ways> known;

    Walk(int arch, int nr, Map<Place, Ways> known) {
      this.arch = arch;
      this.nr = nr;
      this.known = known;
    }

    Ways from(Block block, int entry) {
      return switch (block) {
        case Block.Return(int value) -> {
          double weight = value == defaultValue ? DEFAULT_WAY : 1;
          yield new Ways(weight, weight);
        }
        case Block.Test test -> {
          int own = test.source().instructions().size() - entry + 1;
          Object value = test.source().value();
          Ways ways;
          if (value.equals(NUMBER)) {
            ways = follow(test, holds(test, nr) ? test.ifTrue() : test.ifFalse());
          } else if (value.equals(ARCHITECTURE)) {
            ways = follow(test, holds(test, arch) ? test.ifTrue() : test.ifFalse());
          } else {
            Place place = new Place(test, entry);
            Ways old = known.get(place);
            if (old != null) {
              yield old;
            }
            Ways ifTrue = follow(test, test.ifTrue());
            Ways ifFalse = follow(test, test.ifFalse());
            ways = new Ways(ifTrue.weight + ifFalse.weight, ifTrue.steps + ifFalse.steps);
            Ways result = new Ways(ways.weight, ways.steps + ways.weight * own);
            if (!reachesNumber(test)) {
              known.put(place, result);
            }
            yield result;
          }
          yield new Ways(ways.weight, ways.steps + ways.weight * own);
        }
      };
    }

    private Ways follow(Block.Test from, Block to) {
      return from(to, entry(from, to));
    }
  }

  private final Map<Block, Boolean> reachesNumber = new HashMap<>();

  private boolean reachesNumber(Block block) {
    if (!(block instanceof Block.Test test)) {
      return false;
    }
    Boolean known = reachesNumber.get(block);
    if (known == null) {
      known =
          test.source().value().equals(NUMBER)
              || reachesNumber(test.ifTrue())
              || reachesNumber(test.ifFalse());
      reachesNumber.put(block, known);
    }
    return known;
  }

  private static boolean holds(Block.Test test, int a) {
    return switch (test.code() & 0xf0) {
      case Bpf.JEQ -> a == test.k();
      case Bpf.JGT -> Integer.compareUnsigned(a, test.k()) > 0;
      case Bpf.JGE -> Integer.compareUnsigned(a, test.k()) >= 0;
      default -> (a & test.k()) != 0;
    };
  }
}
