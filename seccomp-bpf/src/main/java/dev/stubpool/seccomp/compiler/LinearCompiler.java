package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.seccomp.bpf.BpfInstruction;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compiles without optimization: a test of the architecture, then each rule in order, with its
 * number and its conditions as written.
 */
final class LinearCompiler {

  private final SeccompPolicy policy;
  private final CodeEmitter code = new CodeEmitter();
  private final ConditionCompiler conditions = new ConditionCompiler(code);

  /** The label of each action's return, in order of emission. */
  private final Map<SeccompAction, Label> returns = new LinkedHashMap<>();

  private LinearCompiler(SeccompPolicy policy) {
    this.policy = policy;
  }

  static List<BpfInstruction> compile(SeccompPolicy policy) {
    LinearCompiler compiler = new LinearCompiler(policy);
    compiler.emit();
    return compiler.code.assemble();
  }

  private void emit() {
    Map<Architecture, Label> sections = new EnumMap<>(Architecture.class);
    policy
        .rules()
        .forEach((architecture, _) -> sections.put(architecture, code.label(architecture.label())));
    emitArchitectures(sections);
    sections.forEach(
        (architecture, label) -> {
          code.bind(label);
          emitRules(policy.rules().get(architecture));
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

  private void emitRules(List<SeccompRule> rules) {
    for (SeccompRule rule : rules) {
      Label numberMatches = code.label("number matches");
      Label next = code.label("next rule");
      code.load(SeccompData.NR_OFFSET);
      code.jump(Bpf.JEQ, rule.nr(), numberMatches, next);
      code.bind(numberMatches);
      conditions.all(rule.conditions(), returnOf(rule.action()), next);
      code.bind(next);
    }
    code.jump(returnOf(policy.defaultAction()));
  }

  private Label returnOf(SeccompAction action) {
    return returns.computeIfAbsent(action, _ -> code.label("return " + action));
  }
}
