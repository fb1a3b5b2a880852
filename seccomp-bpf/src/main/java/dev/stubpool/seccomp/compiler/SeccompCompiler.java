package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfCost;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfVerifier;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Compiles policies to filters.
 *
 * <p>A policy is a function of the 16 words of {@code struct seccomp_data}. The compiler does not
 * translate rule by rule: it builds a decision diagram of the function and generates a program from
 * that.
 *
 * <ol>
 *   <li>The rules of each number become a {@link Formula}, then a {@link Diagram}, in which every
 *       word is tested at most once on a path. Rules that cannot apply or have no effect vanish,
 *       and common parts of different calls are shared.
 *   <li>{@link TreeSearch} finds good tests for each choice between ranges of a word; the largest
 *       choice is between numbers.
 *   <li>{@link BlockBuilder} and {@link Layout} generate the program; a word that is in A is not
 *       loaded again.
 *   <li>{@link Optimizer} does this for several orders of words and keeps the best program.
 * </ol>
 *
 * <p>The number is tested before any argument, unless all rules share a condition. So calls that
 * are always allowed remain in the kernel's bitmap.
 */
public final class SeccompCompiler {

  /** Policies with at least this many comparisons may need a deep stack. */
  private static final int DEEP = 200;

  private SeccompCompiler() {}

  /**
   * Compiles a policy for speed.
   *
   * @param policy the policy
   * @return a verified program that returns what {@link SeccompPolicy#evaluate} returns
   * @throws FilterTooLongException if the program would be longer than {@value Bpf#MAXINSNS}
   *     instructions
   */
  public static BpfProgram compile(SeccompPolicy policy) {
    return compile(policy, CompilerOptions.DEFAULT).program();
  }

  /**
   * Compiles a policy.
   *
   * @param policy the policy
   * @param options the options
   * @return a verified program that returns what {@link SeccompPolicy#evaluate} returns, and a
   *     report. Equal arguments give equal results. If only the smallest program is short enough
   *     for the kernel, it is used whatever the options, except with {@link Optimization#NONE}
   * @throws FilterTooLongException if the program would be longer than {@value Bpf#MAXINSNS}
   *     instructions
   */
  public static CompiledFilter compile(SeccompPolicy policy, CompilerOptions options) {
    List<BpfInstruction> code =
        options.optimize() == Optimization.NONE
            ? LinearCompiler.compile(policy)
            : optimize(policy, options);
    if (code.size() > Bpf.MAXINSNS) {
      throw new FilterTooLongException(code.size());
    }
    BpfProgram program = BpfVerifier.requireValid(new BpfProgram(code));
    Map<Architecture, List<Integer>> cached = new EnumMap<>(Architecture.class);
    policy
        .rules()
        .forEach(
            (architecture, _) ->
                cached.put(
                    architecture,
                    BpfCost.alwaysAllowed(program, architecture).stream().boxed().toList()));
    return new CompiledFilter(program, new CompilerReport(BpfCost.of(program), cached));
  }

  private static List<BpfInstruction> optimize(SeccompPolicy policy, CompilerOptions options) {
    long rules = policy.rules().values().stream().mapToLong(List::size).sum();
    long values =
        policy.rules().values().stream()
            .flatMap(List::stream)
            .flatMap(rule -> rule.conditions().stream())
            .mapToLong(SeccompCompiler::size)
            .sum();
    return rules + values < DEEP
        ? Optimizer.compile(policy, options, Tuning.DEFAULT)
        : DeepStack.call(() -> Optimizer.compile(policy, options, Tuning.DEFAULT));
  }

  private static long size(Condition condition) {
    return switch (condition) {
      case Condition.AnyOf(var _, List<Long> values) -> values.size();
      case Condition.All(List<Condition> conditions) -> sum(conditions);
      case Condition.Any(List<Condition> conditions) -> sum(conditions);
      case Condition.Not(Condition inner) -> size(inner);
      default -> 1;
    };
  }

  private static long sum(List<Condition> conditions) {
    return conditions.stream().mapToLong(SeccompCompiler::size).sum();
  }
}
