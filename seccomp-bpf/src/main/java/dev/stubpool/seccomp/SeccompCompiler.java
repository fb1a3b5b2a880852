package dev.stubpool.seccomp;

import dev.stubpool.seccomp.BpfAssembler.Label;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compiles policies to filters.
 *
 * <p>First the policy is brought into the shape of a {@link CompilerPlan}; whatever improves a
 * policy as a whole happens there. Then code is emitted in this order:
 *
 * <ol>
 *   <li>the architecture, because numbers mean nothing without it, and the guard against x32
 *       numbers;
 *   <li>the conditions that all rules share;
 *   <li>a binary search for the number, with short linear ends;
 *   <li>for each number its alternatives; numbers with equal alternatives share the code;
 *   <li>one return for each action.
 * </ol>
 *
 * <p>A word that is still in A is not loaded again ({@link CodeEmitter}).
 */
public final class SeccompCompiler {

  /** Up to this many numbers, comparing one after the other beats another split. */
  private static final int LINEAR_SEARCH_MAX = 3;

  private final SeccompPolicy policy;
  private final CompilerPlan plan;
  private final CodeEmitter code = new CodeEmitter();
  private final ConditionCompiler conditions = new ConditionCompiler(code);

  /** Where each action is returned; in order of emission. */
  private final Map<SeccompAction, Label> returns = new LinkedHashMap<>();

  /** Where alternatives are tried; in order of emission. */
  private final Map<List<CompilerPlan.Alternative>, Label> bodies = new LinkedHashMap<>();

  private SeccompCompiler(SeccompPolicy policy) {
    this.policy = policy;
    this.plan = CompilerPlan.of(policy);
  }

  /**
   * Compiles a policy.
   *
   * @param policy the policy
   * @return a program that returns what {@link SeccompPolicy#evaluate} returns, verified
   * @throws IllegalStateException if the program would be longer than {@value Bpf#MAXINSNS}
   *     instructions
   */
  public static BpfProgram compile(SeccompPolicy policy) {
    SeccompCompiler compiler = new SeccompCompiler(policy);
    compiler.emit();
    return BpfVerifier.requireValid(compiler.code.assemble());
  }

  private void emit() {
    emitGuards();
    emitSharedConditions();
    code.load(SeccompData.NR_OFFSET);
    emitSearch(new ArrayList<>(plan.alternatives().keySet()));
    bodies.forEach(this::emitBody);
    returns.forEach(
        (action, label) -> {
          code.bind(label);
          code.ret(action);
        });
  }

  private void emitGuards() {
    Label bad = returnOf(policy.badArchitectureAction());
    Label rightArchitecture = code.label("right architecture");
    code.load(SeccompData.ARCH_OFFSET);
    code.jump(Bpf.JEQ, policy.architecture().auditValue(), rightArchitecture, bad);
    code.bind(rightArchitecture);
    if (policy.architecture().foreignNumberBit() != 0) {
      Label ownNumber = code.label("own number");
      code.load(SeccompData.NR_OFFSET);
      code.jump(Bpf.JSET, policy.architecture().foreignNumberBit(), bad, ownNumber);
      code.bind(ownNumber);
    }
  }

  private void emitSharedConditions() {
    if (!plan.shared().isEmpty()) {
      Label allHold = code.label("shared conditions hold");
      emitAll(plan.shared(), allHold, returnOf(policy.defaultAction()));
      code.bind(allHold);
    }
  }

  /** Emits the search for A, the number, among sorted numbers. */
  private void emitSearch(List<Integer> numbers) {
    if (numbers.size() > LINEAR_SEARCH_MAX) {
      int middle = numbers.size() / 2;
      Label left = code.label("left");
      Label right = code.label("right");
      code.jump(Bpf.JGE, numbers.get(middle), right, left);
      code.bind(left);
      emitSearch(numbers.subList(0, middle));
      code.bind(right);
      emitSearch(numbers.subList(middle, numbers.size()));
      return;
    }
    Label noMatch = returnOf(policy.defaultAction());
    if (numbers.isEmpty()) {
      code.jump(noMatch);
      return;
    }
    for (int nr : numbers.subList(0, numbers.size() - 1)) {
      Label other = code.label("other number");
      code.jump(Bpf.JEQ, nr, bodyOf(nr), other);
      code.bind(other);
    }
    code.jump(Bpf.JEQ, numbers.getLast(), bodyOf(numbers.getLast()), noMatch);
  }

  private void emitBody(List<CompilerPlan.Alternative> alternatives, Label label) {
    code.bind(label);
    Iterator<CompilerPlan.Alternative> remaining = alternatives.iterator();
    while (remaining.hasNext()) {
      CompilerPlan.Alternative alternative = remaining.next();
      if (alternative.isUnconditional()) {
        code.ret(alternative.action());
        return;
      }
      boolean last = !remaining.hasNext();
      Label otherwise = last ? returnOf(policy.defaultAction()) : code.label("next alternative");
      emitAll(alternative.conditions(), returnOf(alternative.action()), otherwise);
      if (!last) {
        code.bind(otherwise);
      }
    }
  }

  /** Emits a conjunction of at least one condition. */
  private void emitAll(List<Condition> conjunction, Label ifTrue, Label ifFalse) {
    for (Condition condition : conjunction.subList(0, conjunction.size() - 1)) {
      Label holds = code.label("condition holds");
      conditions.branch(condition, holds, ifFalse);
      code.bind(holds);
    }
    conditions.branch(conjunction.getLast(), ifTrue, ifFalse);
  }

  private Label bodyOf(int nr) {
    List<CompilerPlan.Alternative> alternatives = plan.alternatives().get(nr);
    return alternatives.getFirst().isUnconditional()
        ? returnOf(alternatives.getFirst().action())
        : bodies.computeIfAbsent(alternatives, _ -> code.label("alternatives"));
  }

  private Label returnOf(SeccompAction action) {
    return returns.computeIfAbsent(action, _ -> code.label("return " + action));
  }
}
