package dev.stubpool.seccomp.audit;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.proof.BpfMeaning;
import dev.stubpool.seccomp.proof.InputSet;
import dev.stubpool.seccomp.proof.InputSets;
import java.util.List;

/**
 * Checks which actions a program returns, and whether all of its instructions are needed for them.
 */
final class AnswerAudit {

  private static final int ACTION_MASK = 0xffff0000;
  private static final int ERRNO = SeccompAction.errno(0).encode();

  private final InputSets sets;
  private final BpfMeaning meaning;
  private final BpfProgram program;
  private final List<Finding> findings;

  AnswerAudit(InputSets sets, BpfMeaning meaning, BpfProgram program, List<Finding> findings) {
    this.sets = sets;
    this.meaning = meaning;
    this.program = program;
    this.findings = findings;
  }

  void run() {
    InputSet divisions = divisionsByZero();
    report(Check.DIVISION_BY_ZERO, divisions, "divides by 0, which kills the thread");
    report(
        Check.KILL_THREAD,
        meaning.answered(SeccompAction.Kind.KILL_THREAD).minus(divisions),
        "kills only the thread; the rest of the process continues: prefer KILL_PROCESS");
    report(
        Check.ERRNO_ZERO,
        meaning.answered(SeccompAction.errno(0)),
        "ERRNO(0): the call is not executed, but returns 0 as if it had succeeded");
    report(
        Check.ERRNO_TOO_LARGE,
        errnoTooLarge(),
        "an errno above %d, which the kernel lowers to it".formatted(SeccompAction.MAX_ERRNO));
    report(
        Check.UNKNOWN_ACTION,
        unknownActions(),
        "a value that is no action: the kernel kills the process");
    report(
        Check.TRACE,
        meaning.answered(SeccompAction.Kind.TRACE),
        "a tracer decides; the call fails with ENOSYS if there is none");
    report(
        Check.USER_NOTIF,
        meaning.answered(SeccompAction.Kind.USER_NOTIF),
        "a listener decides; it must not judge memory of the caller, which may change");
    reportNeedlessCode();
  }

  private InputSet divisionsByZero() {
    InputSet divisions = sets.none();
    for (int pc = 0; pc < program.length(); pc++) {
      if (program.instructions().get(pc).code() == (Bpf.ALU | Bpf.DIV | Bpf.X)) {
        divisions = divisions.or(meaning.ending(pc));
      }
    }
    return divisions;
  }

  private InputSet errnoTooLarge() {
    InputSet tooLarge = sets.none();
    for (int bit = SeccompAction.MAX_ERRNO + 1; bit < 1 << 16; bit <<= 1) {
      tooLarge = tooLarge.or(meaning.returned(ACTION_MASK | bit, ERRNO | bit));
    }
    return tooLarge;
  }

  private InputSet unknownActions() {
    InputSet unknown = sets.all();
    for (SeccompAction.Kind kind : SeccompAction.Kind.values()) {
      int value = new SeccompAction(kind, 0).encode();
      unknown = unknown.minus(meaning.returned(ACTION_MASK, value));
    }
    return unknown;
  }

  /**
   * Adds a finding for the first instruction at which some of the inputs end, with one of them as
   * example.
   */
  private void report(Check check, InputSet inputs, String message) {
    if (inputs.isEmpty()) {
      return;
    }
    for (int pc = 0; pc < program.length(); pc++) {
      InputSet here = meaning.ending(pc).and(inputs);
      if (!here.isEmpty()) {
        findings.add(
            Finding.of(check, "instruction %d: %s".formatted(pc, message))
                .at(pc)
                .with(here.example()));
        return;
      }
    }
  }

  private void reportNeedlessCode() {
    List<Integer> dead = meaning.deadInstructions();
    if (!dead.isEmpty()) {
      findings.add(
          Finding.of(Check.DEAD_INSTRUCTIONS, "no input reaches the instructions " + dead)
              .at(dead.getFirst()));
    }
    List<Integer> constant = meaning.constantTests();
    if (!constant.isEmpty()) {
      int first = constant.getFirst();
      findings.add(
          Finding.of(
                  Check.CONSTANT_TESTS,
                  "the tests of these instructions always have the same result: " + constant)
              .at(first)
              .with(meaning.reaching(first).example()));
    }
  }
}
