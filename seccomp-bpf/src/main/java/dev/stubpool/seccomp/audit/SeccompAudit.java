package dev.stubpool.seccomp.audit;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.proof.BpfMeaning;
import dev.stubpool.seccomp.proof.InputSet;
import dev.stubpool.seccomp.proof.InputSets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Audits filters for common mistakes.
 *
 * <p>All checks examine what a program returns, not how it is written, by exact sets of inputs.
 * What system calls do comes from tables: calls and arguments that the tables lack are not checked.
 */
public final class SeccompAudit {

  private SeccompAudit() {}

  /**
   * Audits a program.
   *
   * @param program the program
   * @return what was found, the worst first
   * @throws IllegalArgumentException if the kernel would refuse the program
   * @throws dev.stubpool.seccomp.proof.UndecidedException if what the program computes takes too
   *     much to follow
   */
  public static List<Finding> audit(BpfProgram program) {
    return audit(program, InputSets.DEFAULT_MAX_NODES);
  }

  /**
   * Audits a program.
   *
   * @param program the program
   * @param maxNodes how much may be taken: see {@link InputSets#of}
   * @return what was found, the worst first
   * @throws IllegalArgumentException if the kernel would refuse the program
   * @throws dev.stubpool.seccomp.proof.UndecidedException if what the program computes takes too
   *     much to follow
   */
  public static List<Finding> audit(BpfProgram program, int maxNodes) {
    InputSets sets = InputSets.of(List.of(program), List.of(), maxNodes);
    BpfMeaning meaning = BpfMeaning.of(sets, program);
    InputSet allowed =
        meaning.answered(SeccompAction.Kind.ALLOW).or(meaning.answered(SeccompAction.Kind.LOG));
    List<Finding> findings = new ArrayList<>();
    ArchitectureAudit architectures = new ArchitectureAudit(sets, meaning, allowed, findings);
    architectures.run();
    architectures
        .handled()
        .forEach(
            architecture -> new CallAudit(sets, meaning, allowed, architecture, findings).run());
    new AnswerAudit(sets, meaning, program, findings).run();
    findings.sort(Comparator.comparing(finding -> finding.check().severity()));
    return List.copyOf(findings);
  }
}
