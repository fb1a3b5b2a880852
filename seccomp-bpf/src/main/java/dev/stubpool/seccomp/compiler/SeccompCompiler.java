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
 * translate rules: it takes the function apart and writes a program for it.
 *
 * <ol>
 *   <li>The rules of each number become a {@link Formula}, then a {@link Diagram}, in which every
 *       word is looked at once: rules that cannot apply, or change nothing, are gone, and what
 *       different calls have in common is one node.
 *   <li>{@link TreeSearch} finds good tests for each choice between ranges of a word; the greatest
 *       one is between numbers.
 *   <li>{@link BlockBuilder} and {@link Layout} make the program: a word that is in A is not loaded
 *       again.
 *   <li>{@link Optimizer} does this for several orders of words and keeps the best program.
 * </ol>
 *
 * <p>Before anything of a call's arguments is looked at, its number is, unless every rule has the
 * same condition: calls that are always allowed stay in the kernel's bitmap.
 */
public final class SeccompCompiler {

  /** Policies with so many comparisons may need a deep stack. */
  private static final int DEEP = 200;

  private SeccompCompiler() {}

  /**
   * Compiles a policy for speed.
   *
   * @param policy the policy
   * @return a program that returns what {@link SeccompPolicy#evaluate} returns, verified
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
   * @param options how
   * @return a program that returns what {@link SeccompPolicy#evaluate} returns, verified, and a
   *     report; equal arguments give equal results. Where only the smallest program is short enough
   *     for the kernel, it is that whatever the options say, but for {@link Optimization#NONE}
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
