package dev.stubpool.seccomp.proof;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * A store of Boolean functions as reduced ordered binary decision diagrams with complement edges:
 * Bryant 1986, and Brace, Rudell and Bryant 1990.
 *
 * <p>A function is an {@code int}: twice the number of its node, plus 1 if it is the complement of
 * the node's function. Two functions are equal if and only if their ints are. Variable 0 is at the
 * top. Nodes are never freed, and their number and the number of steps are limited, because
 * diagrams can become exponentially large. Not thread-safe.
 */
final class Bdd {

  static final int TRUE = 0;
  static final int FALSE = 1;

  /** Marks a variable that {@link #restrict} leaves free. */
  static final byte FREE = -1;

  /** Larger than any weight; means "no satisfying assignment". */
  private static final int IMPOSSIBLE = Integer.MAX_VALUE / 2;

  private static final int FIRST_CAPACITY = 1 << 12;
  private static final int MAX_CACHE = 1 << 20;

  /** The limit for steps, as a multiple of the limit for nodes. */
  private static final long STEPS_PER_NODE = 50;

  private final int variables;
  private final int maxNodes;
  private final long maxSteps;
  private long steps;

  /**
   * Node 0 is the constant. The arrays hold each other node's variable, its two functions and its
   * hash chain.
   */
  private int[] variable = new int[FIRST_CAPACITY];

  private int[] high = new int[FIRST_CAPACITY];
  private int[] low = new int[FIRST_CAPACITY];
  private int[] next = new int[FIRST_CAPACITY];
  private int[] buckets = new int[FIRST_CAPACITY];
  private int nodes = 1;

  /** Results of {@link #ite}; four ints an entry: the operands and the result. */
  private int[] cache = emptyCache(FIRST_CAPACITY);

  /**
   * Creates an empty store.
   *
   * @param variables the number of variables
   * @param maxNodes the limit for nodes
   */
  Bdd(int variables, int maxNodes) {
    this.variables = variables;
    this.maxNodes = maxNodes;
    this.maxSteps = STEPS_PER_NODE * maxNodes;
    variable[0] = variables;
  }

  static int not(int f) {
    return f ^ 1;
  }

  int variable(int index) {
    return node(index, TRUE, FALSE);
  }

  int and(int f, int g) {
    return ite(f, g, FALSE);
  }

  int or(int f, int g) {
    return ite(f, TRUE, g);
  }

  int xor(int f, int g) {
    return ite(f, not(g), g);
  }

  int and(int f, int g, int h) {
    return and(f, and(g, h));
  }

  int minus(int f, int g) {
    return and(f, not(g));
  }

  /** If f then g else h. */
  int ite(int f, int g, int h) {
    if (f == g) {
      g = TRUE;
    } else if (f == not(g)) {
      g = FALSE;
    }
    if (f == h) {
      h = FALSE;
    } else if (f == not(h)) {
      h = TRUE;
    }
    if (f == TRUE || g == h) {
      return g;
    }
    if (f == FALSE) {
      return h;
    }
    if (g == TRUE && h == FALSE) {
      return f;
    }
    if (g == FALSE && h == TRUE) {
      return not(f);
    }
    // A canonical form for equivalent operands.
    if (h == FALSE && g < f) {
      int swapped = f;
      f = g;
      g = swapped;
    } else if (g == TRUE && h < f) {
      int swapped = f;
      f = h;
      h = swapped;
    }
    if ((f & 1) != 0) {
      f = not(f);
      int swapped = g;
      g = h;
      h = swapped;
    }
    return (g & 1) == 0 ? iteOfNormal(f, g, h) : not(iteOfNormal(f, not(g), not(h)));
  }

  private int iteOfNormal(int f, int g, int h) {
    int slot = hash(f, g, h) & cache.length / 4 - 1;
    if (cache[4 * slot] == f && cache[4 * slot + 1] == g && cache[4 * slot + 2] == h) {
      return cache[4 * slot + 3];
    }
    if (++steps > maxSteps) {
      throw new BddLimitException("more than %,d steps".formatted(maxSteps));
    }
    int top = Math.min(top(f), Math.min(top(g), top(h)));
    int ifTrue = ite(high(f, top), high(g, top), high(h, top));
    int ifFalse = ite(low(f, top), low(g, top), low(h, top));
    int result = node(top, ifTrue, ifFalse);
    slot = hash(f, g, h) & cache.length / 4 - 1; // the cache may have grown
    cache[4 * slot] = f;
    cache[4 * slot + 1] = g;
    cache[4 * slot + 2] = h;
    cache[4 * slot + 3] = result;
    return result;
  }

  private int top(int f) {
    return variable[f >> 1];
  }

  /** The cofactor of a function for the true value of a variable, which is at its top or above. */
  private int high(int f, int index) {
    return top(f) == index ? high[f >> 1] ^ (f & 1) : f;
  }

  private int low(int f, int index) {
    return top(f) == index ? low[f >> 1] ^ (f & 1) : f;
  }

  private int node(int index, int ifTrue, int ifFalse) {
    if (ifTrue == ifFalse) {
      return ifTrue;
    }
    // The high edge is never complemented, so that a function has only one form.
    return (ifTrue & 1) == 0
        ? uniqueNode(index, ifTrue, ifFalse)
        : not(uniqueNode(index, not(ifTrue), not(ifFalse)));
  }

  private int uniqueNode(int index, int ifTrue, int ifFalse) {
    int bucket = hash(index, ifTrue, ifFalse) & buckets.length - 1;
    for (int node = buckets[bucket]; node != 0; node = next[node]) {
      if (variable[node] == index && high[node] == ifTrue && low[node] == ifFalse) {
        return 2 * node;
      }
    }
    if (nodes == maxNodes) {
      throw new BddLimitException("more than %,d nodes".formatted(maxNodes));
    }
    if (nodes == variable.length) {
      grow();
      bucket = hash(index, ifTrue, ifFalse) & buckets.length - 1;
    }
    variable[nodes] = index;
    high[nodes] = ifTrue;
    low[nodes] = ifFalse;
    next[nodes] = buckets[bucket];
    buckets[bucket] = nodes;
    return 2 * nodes++;
  }

  private void grow() {
    int capacity = 2 * nodes;
    variable = Arrays.copyOf(variable, capacity);
    high = Arrays.copyOf(high, capacity);
    low = Arrays.copyOf(low, capacity);
    next = new int[capacity];
    buckets = new int[capacity];
    for (int node = 1; node < nodes; node++) {
      int bucket = hash(variable[node], high[node], low[node]) & capacity - 1;
      next[node] = buckets[bucket];
      buckets[bucket] = node;
    }
    if (capacity <= MAX_CACHE) {
      cache = emptyCache(capacity);
    }
  }

  private static int[] emptyCache(int entries) {
    int[] cache = new int[4 * entries];
    Arrays.fill(cache, -1);
    return cache;
  }

  private static int hash(int a, int b, int c) {
    int hash = a * 0x9e3779b1 + b * 0x85ebca6b + c * 0xc2b2ae35;
    return hash ^ hash >>> 15;
  }

  /** The number of nodes in the store. */
  int nodes() {
    return nodes;
  }

  /**
   * Substitutes values for some variables.
   *
   * @param f the function
   * @param values 0, 1 or {@link #FREE} for each variable
   */
  int restrict(int f, byte[] values) {
    return restrict(f, values, new HashMap<>());
  }

  private int restrict(int f, byte[] values, Map<Integer, Integer> known) {
    int node = f >> 1;
    if (node == 0) {
      return f;
    }
    int complement = f & 1;
    int index = variable[node];
    if (values[index] != FREE) {
      return restrict(values[index] == 1 ? high[node] : low[node], values, known) ^ complement;
    }
    Integer result = known.get(node);
    if (result == null) {
      result = node(index, restrict(high[node], values, known), restrict(low[node], values, known));
      known.put(node, result);
    }
    return result ^ complement;
  }

  /**
   * A function, small if possible, that agrees with another one on a care set (Coudert and Madre
   * 1990, there called restrict).
   *
   * @param f the other function
   * @param care the care set, not {@link #FALSE}
   */
  int simplify(int f, int care) {
    return simplify(f, care, new HashMap<>());
  }

  private int simplify(int f, int care, Map<Long, Integer> known) {
    if (care == TRUE || f >> 1 == 0) {
      return f;
    }
    if (f == care) {
      return TRUE;
    }
    if (f == not(care)) {
      return FALSE;
    }
    long key = ((long) f << Integer.SIZE) | care;
    Integer result = known.get(key);
    if (result == null) {
      int top = Math.min(top(f), top(care));
      int careTrue = high(care, top);
      int careFalse = low(care, top);
      if (top(f) > top) {
        result = simplify(f, or(careTrue, careFalse), known);
      } else if (careTrue == FALSE) {
        result = simplify(low(f, top), careFalse, known);
      } else if (careFalse == FALSE) {
        result = simplify(high(f, top), careTrue, known);
      } else {
        result =
            node(
                top,
                simplify(high(f, top), careTrue, known),
                simplify(low(f, top), careFalse, known));
      }
      known.put(key, result);
    }
    return result;
  }

  /**
   * Existential quantification: true where some values of the quantified variables make the
   * function true.
   */
  int exists(int f, BitSet quantified) {
    return exists(f, quantified, new HashMap<>());
  }

  private int exists(int f, BitSet quantified, Map<Integer, Integer> known) {
    if (f >> 1 == 0) {
      return f;
    }
    Integer result = known.get(f);
    if (result == null) {
      int index = top(f);
      int ifTrue = exists(high(f, index), quantified, known);
      int ifFalse = exists(low(f, index), quantified, known);
      result = quantified.get(index) ? or(ifTrue, ifFalse) : node(index, ifTrue, ifFalse);
      known.put(f, result);
    }
    return result;
  }

  /** The variables that a function depends on. */
  BitSet support(int f) {
    BitSet support = new BitSet();
    collectSupport(f >> 1, new BitSet(), support);
    return support;
  }

  private void collectSupport(int node, BitSet seen, BitSet support) {
    if (node == 0 || seen.get(node)) {
      return;
    }
    seen.set(node);
    support.set(variable[node]);
    collectSupport(high[node] >> 1, seen, support);
    collectSupport(low[node] >> 1, seen, support);
  }

  boolean evaluate(int f, BitSet values) {
    int at = f;
    while (at >> 1 != 0) {
      int index = top(at);
      at = values.get(index) ? high(at, index) : low(at, index);
    }
    return at == TRUE;
  }

  /**
   * A satisfying assignment of minimal weight; among those, the first in the order of variables.
   *
   * @param f the function, not {@link #FALSE}
   * @param weights the weight of each variable that is true, not negative
   * @return the variables that are true
   */
  BitSet lightest(int f, int[] weights) {
    Map<Integer, Integer> costs = new HashMap<>();
    BitSet values = new BitSet(variables);
    int at = f;
    while (at != TRUE) {
      int index = top(at);
      int ifTrue = high(at, index);
      int ifFalse = low(at, index);
      if (cost(ifTrue, weights, costs) + weights[index] < cost(ifFalse, weights, costs)) {
        values.set(index);
        at = ifTrue;
      } else {
        at = ifFalse;
      }
    }
    return values;
  }

  private int cost(int f, int[] weights, Map<Integer, Integer> known) {
    if (f == TRUE) {
      return 0;
    }
    if (f == FALSE) {
      return IMPOSSIBLE;
    }
    Integer cost = known.get(f);
    if (cost == null) {
      int index = top(f);
      cost =
          Math.min(
              cost(low(f, index), weights, known),
              weights[index] + cost(high(f, index), weights, known));
      known.put(f, cost);
    }
    return cost;
  }
}
