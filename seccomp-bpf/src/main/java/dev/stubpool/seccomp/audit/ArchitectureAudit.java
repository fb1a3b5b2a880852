package dev.stubpool.seccomp.audit;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.proof.BpfMeaning;
import dev.stubpool.seccomp.proof.InputSet;
import dev.stubpool.seccomp.proof.InputSets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Checks how a filter distinguishes architectures. */
final class ArchitectureAudit {

  /** An AUDIT_ARCH value that no architecture has: its ELF machine type is 0. */
  private static final int FOREIGN = 0;

  /** Numbers below this one mean with bit 30 set the same x86-64 call, or none. */
  private static final int FIRST_X32_ONLY = 512;

  private final InputSets sets;
  private final BpfMeaning meaning;
  private final InputSet allowed;
  private final List<Finding> findings;
  private final Map<Architecture, InputSet> calls = new EnumMap<>(Architecture.class);

  ArchitectureAudit(InputSets sets, BpfMeaning meaning, InputSet allowed, List<Finding> findings) {
    this.sets = sets;
    this.meaning = meaning;
    this.allowed = allowed;
    this.findings = findings;
    for (Architecture architecture : Architecture.values()) {
      calls.put(architecture, sets.architecture(architecture));
    }
  }

  void run() {
    if (!dependsOnArchitecture()) {
      if (allowed.dependsOn(SeccompData.NR_OFFSET, -1)) {
        findings.add(
            Finding.of(
                    Check.NO_ARCHITECTURE_CHECK,
                    "the architecture is not checked: 32-bit calls, which have other numbers, "
                        + "are judged by the numbers of another architecture")
                .with(allowed.and(calls.get(Architecture.I386)).example()));
      }
    } else {
      checkOtherArchitectures();
    }
    checkX32();
  }

  private boolean dependsOnArchitecture() {
    for (SeccompAction.Kind kind : SeccompAction.Kind.values()) {
      if (meaning.answered(kind).dependsOn(SeccompData.ARCH_OFFSET, -1)) {
        return true;
      }
    }
    return false;
  }

  /**
   * The architectures that the program handles: it allows some of their calls, and treats them
   * differently from calls of a nonexistent architecture. x86-64 if it does not test the
   * architecture.
   */
  List<Architecture> handled() {
    if (!dependsOnArchitecture()) {
      return List.of(Architecture.X86_64);
    }
    List<Architecture> handled = new ArrayList<>();
    for (Architecture architecture : Architecture.values()) {
      InputSet own = calls.get(architecture);
      boolean known = false;
      for (SeccompAction.Kind kind : SeccompAction.Kind.values()) {
        InputSet answered = meaning.answered(kind);
        InputSet foreign = answered.with(SeccompData.ARCH_OFFSET, -1, FOREIGN);
        known |= !answered.and(own).equals(foreign.and(own));
      }
      if (known && !allowed.and(own).isEmpty()) {
        handled.add(architecture);
      }
    }
    return handled;
  }

  private void checkOtherArchitectures() {
    boolean someRestricted = false;
    InputSet foreign = allowed;
    InputSet unrestricted = sets.none();
    for (Architecture architecture : Architecture.values()) {
      InputSet own = calls.get(architecture);
      foreign = foreign.minus(own);
      if (own.isSubsetOf(allowed)) {
        unrestricted = unrestricted.or(architecture == Architecture.X32 ? sets.none() : own);
      } else if (!own.and(allowed).isEmpty()) {
        someRestricted = true;
      }
    }
    InputSet others = unrestricted.or(foreign);
    if (someRestricted && !others.isEmpty()) {
      findings.add(
          Finding.of(
                  Check.OTHER_ARCHITECTURE_ALLOWED,
                  "calls of other architectures are allowed: a process can change to 32-bit code, "
                      + "or make 32-bit calls from 64-bit code")
              .with(others.example()));
    }
  }

  private void checkX32() {
    InputSet x32 = allowed.and(calls.get(Architecture.X32));
    InputSet denied = allowed.complement().with(SeccompData.NR_OFFSET, Architecture.X32_BIT, 0);
    InputSet sameCalls =
        sets.wordInRange(
            SeccompData.NR_OFFSET, Architecture.X32_BIT, Architecture.X32_BIT + FIRST_X32_ONLY - 1);
    InputSet hole = x32.and(denied).and(sameCalls);
    if (!hole.isEmpty()) {
      findings.add(
          Finding.of(
                  Check.X32_HOLE,
                  "a call that is denied is allowed as x32 call, that is with bit 30 of its number "
                      + "set: deny numbers from 0x40000000 on")
              .on(Architecture.X32)
              .with(hole.example()));
    } else if (!x32.isEmpty()) {
      findings.add(
          Finding.of(Check.X32_ALLOWED, "x32 calls are allowed; hardly any program makes them")
              .on(Architecture.X32)
              .with(x32.example()));
    }
  }
}
