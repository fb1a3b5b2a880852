package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.seccomp.Architecture;
import java.util.ArrayList;
import java.util.EnumMap;
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
  private final CodeEmitter code = new CodeEmitter();
  private final ConditionCompiler conditions = new ConditionCompiler(code);

  /** Where each action is returned; in order of emission. */
  private final Map<SeccompAction, Label> returns = new LinkedHashMap<>();

  /** Where alternatives are tried; in order of emission. */
  private final Map<List<CompilerPlan.Alternative>, Label> bodies = new LinkedHashMap<>();

  private SeccompCompiler(SeccompPolicy policy) {
    this.policy = policy;
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
    Map<Architecture, Label> sections = new EnumMap<>(Architecture.class);
    policy.rules().forEach((architecture, _) -> sections.put(architecture, code.label(architecture.label())));
    emitArchitectures(sections);
    sections.forEach(
        (architecture, label) -> {
          code.bind(label);
          bodies.clear();
          emitRules(CompilerPlan.of(policy.rules().get(architecture)));
        });
    returns.forEach(
        (action, label) -> {
          code.bind(label);
          code.ret(action);
        });
  }

  /** Jumps to the section of the call's architecture. */
  private void emitArchitectures(Map<Architecture, Label> sections) {
    Label bad = returnOf(policy.badArchitectureAction());
    for (Architecture architecture : sections.keySet()) {
      if (architecture == Architecture.X32 && sections.containsKey(Architecture.X86_64)) {
        continue; // beside x86-64
      }
      Label matches = code.label("right architecture");
      Label other = code.label("other architecture");
      code.load(SeccompData.ARCH_OFFSET);
      code.jump(Bpf.JEQ, architecture.auditValue(), matches, other);
      code.bind(matches);
      if (architecture.auditValue() == Architecture.X86_64.auditValue()) {
        emitX32Guard(
            sections.getOrDefault(Architecture.X86_64, bad),
            sections.getOrDefault(Architecture.X32, bad));
      } else {
        code.jump(sections.get(architecture));
      }
      code.bind(other);
    }
    code.jump(bad);
  }

  private void emitX32Guard(Label x8664, Label x32) {
    Label marked = code.label("bit 30");
    code.load(SeccompData.NR_OFFSET);
    code.jump(Bpf.JSET, Architecture.X32_BIT, marked, x8664);
    code.bind(marked);
    code.jump(Bpf.JEQ, -1, x8664, x32);
  }

  private void emitRules(CompilerPlan plan) {
    if (!plan.shared().isEmpty()) {
      Label allHold = code.label("shared conditions hold");
      conditions.all(plan.shared(), allHold, returnOf(policy.defaultAction()));
      code.bind(allHold);
    }
    code.load(SeccompData.NR_OFFSET);
    emitSearch(plan, new ArrayList<>(plan.alternatives().keySet()));
    bodies.forEach(this::emitBody);
  }

  /** Emits the search for A, the number, among sorted numbers. */
  private void emitSearch(CompilerPlan plan, List<Integer> numbers) {
    if (numbers.size() > LINEAR_SEARCH_MAX) {
      int middle = numbers.size() / 2;
      Label left = code.label("left");
      Label right = code.label("right");
      code.jump(Bpf.JGE, numbers.get(middle), right, left);
      code.bind(left);
      emitSearch(plan, numbers.subList(0, middle));
      code.bind(right);
      emitSearch(plan, numbers.subList(middle, numbers.size()));
      return;
    }
    Label noMatch = returnOf(policy.defaultAction());
    if (numbers.isEmpty()) {
      code.jump(noMatch);
      return;
    }
    for (int nr : numbers.subList(0, numbers.size() - 1)) {
      Label other = code.label("other number");
      code.jump(Bpf.JEQ, nr, bodyOf(plan, nr), other);
      code.bind(other);
    }
    code.jump(Bpf.JEQ, numbers.getLast(), bodyOf(plan, numbers.getLast()), noMatch);
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
      conditions.all(alternative.conditions(), returnOf(alternative.action()), otherwise);
      if (!last) {
        code.bind(otherwise);
      }
    }
  }

  private Label bodyOf(CompilerPlan plan, int nr) {
    List<CompilerPlan.Alternative> alternatives = plan.alternatives().get(nr);
    return alternatives.getFirst().isUnconditional()
        ? returnOf(alternatives.getFirst().action())
        : bodies.computeIfAbsent(alternatives, _ -> code.label("alternatives"));
  }

  private Label returnOf(SeccompAction action) {
    return returns.computeIfAbsent(action, _ -> code.label("return " + action));
  }
}
