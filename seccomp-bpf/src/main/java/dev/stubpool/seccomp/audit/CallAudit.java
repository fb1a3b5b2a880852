package dev.stubpool.seccomp.audit;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.proof.BpfMeaning;
import dev.stubpool.seccomp.proof.InputSet;
import dev.stubpool.seccomp.proof.InputSets;
import java.util.List;

/** Checks the calls of one architecture. */
final class CallAudit {

  /**
   * The first number that no architecture uses: Arm's private calls end below it, and bit 30 is
   * x32's.
   */
  private static final int FIRST_UNUSED = 0x100000;

  private static final int LAST_UNUSED = 0x3fffffff;
  private static final int PR_SET_SECCOMP = 22;
  private static final int SIGN = 0x80000000;

  private final InputSets sets;
  private final BpfMeaning meaning;
  private final Architecture architecture;
  private final SystemCallTable table;
  private final List<Finding> findings;

  /** The allowed inputs, with the architecture set to this one. */
  private final InputSet allowed;

  private final boolean unknownAllowed;

  CallAudit(
      InputSets sets,
      BpfMeaning meaning,
      InputSet allowed,
      Architecture architecture,
      List<Finding> findings) {
    this.sets = sets;
    this.meaning = meaning;
    this.architecture = architecture;
    this.table = SystemCallTable.of(architecture);
    this.findings = findings;
    this.allowed = of(allowed);
    int marked = architecture == Architecture.X32 ? Architecture.X32_BIT : 0;
    InputSet unknown =
        this.allowed.and(
            sets.wordInRange(SeccompData.NR_OFFSET, FIRST_UNUSED | marked, LAST_UNUSED | marked));
    this.unknownAllowed = !unknown.isEmpty();
    if (unknownAllowed) {
      add(
          Check.UNKNOWN_CALLS_ALLOWED,
          "numbers that no call has yet are allowed, and with them the new calls of later kernels: "
              + "list what is allowed, not what is denied",
          unknown);
    }
  }

  private InputSet of(InputSet inputs) {
    return inputs.with(SeccompData.ARCH_OFFSET, -1, architecture.auditValue());
  }

  void run() {
    table.names().forEach(this::checkArguments);
    checkReplacements();
    CallKnowledge.dangerous()
        .forEach(
            (call, use) -> {
              if (isUnrestricted(call)) {
                addCall(Check.DANGEROUS_CALL, call, "allowed; it " + use, allowedFor(call));
              }
            });
    checkEssentials();
  }

  /** The inputs for which a call is allowed; the set does not depend on number and architecture. */
  private InputSet allowedFor(String call) {
    return allowed.with(SeccompData.NR_OFFSET, -1, table.number(call));
  }

  /** As {@link #allowedFor}, from at least one instruction pointer. */
  private InputSet allowedFromAnywhere(String call) {
    SeccompField ip = SeccompField.INSTRUCTION_POINTER;
    return allowedFor(call).ignoring(ip.lowOffset(), -1).ignoring(ip.highOffset(), -1);
  }

  private boolean isKnown(String call) {
    return table.find(call).isPresent();
  }

  private boolean isUnrestricted(String call) {
    return isKnown(call) && allowedFromAnywhere(call).complement().isEmpty();
  }

  private boolean isDenied(String call) {
    return isKnown(call) && allowedFromAnywhere(call).isEmpty();
  }

  private void checkArguments(String call) {
    InputSet calls = allowedFor(call);
    if (calls.isEmpty() || calls.complement().isEmpty()) {
      return;
    }
    for (int index = 0; index < SeccompData.ARGUMENTS; index++) {
      SeccompField field = SeccompField.argument(index);
      boolean low = calls.dependsOn(field.lowOffset(), -1);
      boolean high = calls.dependsOn(field.highOffset(), -1);
      boolean wide = architecture.bits() == Long.SIZE;
      switch (CallKnowledge.argumentKind(call, index)) {
        case NUMBER_32 -> {
          if (high && wide) {
            checkHighHalf(call, index, calls);
          }
        }
        case NUMBER_64, ADDRESS -> {
          // Flags may be tested bit by bit, but an ordered comparison needs the highest bit.
          if (wide && !high && calls.dependsOn(field.lowOffset(), SIGN)) {
            addCall(
                Check.LOW_HALF_ONLY,
                call,
                "argument %d has 64 bits, but only its low half is compared".formatted(index),
                calls.and(sets.word(field.highOffset(), 1, 1)));
          }
        }
        case POINTER -> {
          if (low || high) {
            checkPointer(call, index, calls);
          }
        }
        case UNKNOWN -> {}
      }
    }
  }

  /**
   * Callers leave the high half of a 32-bit argument 0, or all ones for a negative number. A call
   * that is denied with these but allowed with another high half evades the filter.
   */
  private void checkHighHalf(String call, int index, InputSet calls) {
    SeccompField field = SeccompField.argument(index);
    int high = field.highOffset();
    InputSet negative = sets.word(field.lowOffset(), SIGN, SIGN);
    InputSet denied = calls.complement();
    InputSet usuallyDenied = denied.with(high, -1, 0).or(denied.with(high, -1, -1).and(negative));
    InputSet unusual =
        sets.word(high, -1, 0).or(sets.word(high, -1, -1).and(negative)).complement();
    InputSet evading = calls.and(unusual).and(usuallyDenied);
    if (evading.isEmpty()) {
      addCall(
          Check.HIGH_HALF_NEEDLESS,
          call,
          "argument %d has 32 bits; its high half need not be compared".formatted(index),
          denied.and(unusual));
    } else {
      addCall(
          Check.HIGH_HALF_EVASION,
          call,
          ("argument %d has 32 bits, and the kernel ignores the others: what is denied is allowed "
                  + "with high bits set")
              .formatted(index),
          evading);
    }
  }

  private void checkPointer(String call, int index, InputSet calls) {
    SeccompField field = SeccompField.argument(index);
    InputSet notNull =
        sets.word(field.lowOffset(), -1, 0).and(sets.word(field.highOffset(), -1, 0)).complement();
    InputSet mayBeAllowed = ignoring(field, calls.and(notNull));
    InputSet mayBeDenied = ignoring(field, calls.complement().and(notNull));
    if (!mayBeAllowed.and(mayBeDenied).isEmpty()) {
      addCall(
          Check.POINTER_COMPARED,
          call,
          "argument %d is a pointer; the memory behind it is not checked, and may change"
              .formatted(index),
          calls.and(notNull).and(mayBeDenied));
    }
  }

  private static InputSet ignoring(SeccompField field, InputSet inputs) {
    return inputs.ignoring(field.lowOffset(), -1).ignoring(field.highOffset(), -1);
  }

  /**
   * A call counts as restricted on purpose if its arguments decide, or if it is denied although
   * unknown calls are allowed.
   */
  private void checkReplacements() {
    CallKnowledge.replacements()
        .forEach(
            (call, others) -> {
              if (isKnown(call) && !isUnrestricted(call) && (unknownAllowed || !isDenied(call))) {
                others.forEach(other -> checkReplacement(call, other));
              }
            });
  }

  private void checkReplacement(String call, CallKnowledge.Replacement replacement) {
    String other = replacement.call();
    boolean allowedAnyway =
        replacement.only().isPresent() && isAllowed(call, replacement.only().get());
    if (isUnrestricted(other) && !allowedAnyway) {
      addCall(
          Check.REPLACEMENT_ALLOWED,
          call,
          "restricted, but %s can do the same and is allowed".formatted(other),
          allowedFor(other).and(sets.number(table.number(other))));
    }
  }

  private boolean isAllowed(String call, CallKnowledge.Use use) {
    int offset = SeccompField.argument(use.argument()).lowOffset();
    return !allowedFor(call).with(offset, -1, use.value()).isEmpty();
  }

  private void checkEssentials() {
    InputSet traps =
        of(meaning.answered(SeccompAction.Kind.TRAP)).and(sets.architecture(architecture));
    if (!traps.isEmpty() && isDenied("rt_sigreturn")) {
      add(
          Check.TRAP_WITHOUT_RETURN,
          "the handler of SIGSYS cannot return: rt_sigreturn is denied",
          traps);
    }
    if (isDenied("exit") && isDenied("exit_group")) {
      addCall(
          Check.EXIT_DENIED,
          "exit_group",
          "denied like exit: a process cannot exit normally",
          sets.all());
    }
    InputSet prctl =
        allowedFor("prctl").with(SeccompField.ARGUMENT_0.lowOffset(), -1, PR_SET_SECCOMP);
    if (isDenied("seccomp") && prctl.isEmpty()) {
      addCall(
          Check.SECCOMP_DENIED,
          "seccomp",
          "denied, and prctl(PR_SET_SECCOMP) too: no further filter can be installed",
          sets.all());
    }
    checkSkippedCalls();
  }

  private void checkSkippedCalls() {
    if (!architecture.owns(-1)) {
      return;
    }
    for (SeccompAction.Kind kind :
        List.of(
            SeccompAction.Kind.KILL_PROCESS,
            SeccompAction.Kind.KILL_THREAD,
            SeccompAction.Kind.TRAP)) {
      InputSet killed = of(meaning.answered(kind)).and(sets.number(-1));
      if (!killed.isEmpty()) {
        add(
            Check.SKIPPED_CALL_KILLED,
            "a call that a tracer skips, by making its number -1, gets %s".formatted(kind),
            killed);
        return;
      }
    }
  }

  private void add(Check check, String message, InputSet examples) {
    InputSet own = sets.architecture(architecture);
    findings.add(
        Finding.of(check, "%s: %s".formatted(architecture.label(), message))
            .on(architecture)
            .with(examples.and(own).example()));
  }

  /**
   * Adds a finding about a call. Its example gets the call's number if the set does not depend on
   * the number.
   */
  private void addCall(Check check, String call, String message, InputSet examples) {
    InputSet own = sets.architecture(architecture);
    InputSet numbered =
        examples.dependsOn(SeccompData.NR_OFFSET, -1)
            ? examples
            : examples.and(sets.number(table.number(call)));
    findings.add(
        Finding.of(check, "%s %s: %s".formatted(architecture.label(), call, message))
            .on(architecture, call)
            .with(numbered.and(own).example()));
  }
}
