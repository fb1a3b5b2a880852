package dev.stubpool.seccomp.audit;

import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.seccomp.bpf.Bpf;
import dev.stubpool.seccomp.bpf.BpfAssembler;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import dev.stubpool.seccomp.bpf.BpfProgram;
import dev.stubpool.seccomp.bpf.BpfSimulator;
import dev.stubpool.seccomp.compiler.SeccompCompiler;
import dev.stubpool.seccomp.proof.UndecidedException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Each check on a filter that has what it looks for, and on one that is alike but right. */
class SeccompAuditTest {

  private static final int X86_64 = Architecture.X86_64.auditValue();
  private static final int READ = 0;
  private static final int MOUNT = 165;

  private static SeccompPolicy.Builder allowlist() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(SeccompAction.errno(1))
        .allow("exit_group")
        .allow("rt_sigreturn")
        .allow("seccomp");
  }

  private static SeccompPolicy.Builder denylist() {
    return SeccompPolicy.builder(Architecture.X86_64).defaultAction(SeccompAction.ALLOW);
  }

  private static List<Finding> audit(SeccompPolicy.Builder policy) {
    return SeccompAudit.audit(SeccompCompiler.compile(policy.build()));
  }

  private static List<Finding> audit(Check check, BpfProgram program) {
    return SeccompAudit.audit(program).stream()
        .filter(finding -> finding.check() == check)
        .toList();
  }

  /** The only finding of a check. */
  private static Finding find(Check check, BpfProgram program) {
    assertThat(audit(check, program)).hasSize(1);
    return audit(check, program).getFirst();
  }

  private static Finding find(Check check, SeccompPolicy.Builder policy) {
    return find(check, SeccompCompiler.compile(policy.build()));
  }

  private static void assertAbsent(Check check, SeccompPolicy.Builder policy) {
    assertThat(audit(check, SeccompCompiler.compile(policy.build()))).isEmpty();
  }

  private static void assertAbsent(Check check, BpfProgram program) {
    assertThat(audit(check, program)).isEmpty();
  }

  private static SeccompAction answer(BpfProgram program, Finding finding) {
    return BpfSimulator.run(program, finding.example().orElseThrow()).action();
  }

  @Test
  void shouldFindNothingInARightFilter() {
    assertThat(audit(allowlist().allow("read").allow("socket", argument(0).low32().equalTo(1))))
        .isEmpty();
  }

  /** Calls with a number are denied, of whatever architecture. */
  private static BpfProgram denying(int nr) {
    BpfAssembler assembler = new BpfAssembler();
    Label denied = assembler.label("denied");
    return assembler
        .ldAbs(SeccompData.NR_OFFSET)
        .jump(Bpf.JEQ, nr, denied, BpfAssembler.NEXT)
        .ret(SeccompAction.ALLOW)
        .bind(denied)
        .ret(SeccompAction.KILL_PROCESS)
        .assemble();
  }

  /** Mount is denied on x86-64; other architectures get an answer. */
  private static BpfProgram denyingMount(SeccompAction others, boolean x32) {
    BpfAssembler assembler = new BpfAssembler();
    Label denied = assembler.label("denied");
    Label other = assembler.label("other");
    assembler
        .ldAbs(SeccompData.ARCH_OFFSET)
        .jump(Bpf.JEQ, X86_64, BpfAssembler.NEXT, other)
        .ldAbs(SeccompData.NR_OFFSET)
        .jump(Bpf.JEQ, MOUNT, denied, BpfAssembler.NEXT);
    if (!x32) {
      assembler.jump(Bpf.JGE, Architecture.X32_BIT, denied, BpfAssembler.NEXT);
    }
    return assembler
        .ret(SeccompAction.ALLOW)
        .bind(other)
        .ret(others)
        .bind(denied)
        .ret(SeccompAction.KILL_PROCESS)
        .assemble();
  }

  @Test
  void shouldFindThatTheArchitectureIsNotChecked() {
    Finding finding = find(Check.NO_ARCHITECTURE_CHECK, denying(MOUNT));

    assertThat(finding.check().severity()).isEqualTo(Severity.HIGH);
    assertThat(finding.example().orElseThrow().arch()).isEqualTo(Architecture.I386.auditValue());
    assertThat(answer(denying(MOUNT), finding)).isEqualTo(SeccompAction.ALLOW);
    assertAbsent(Check.NO_ARCHITECTURE_CHECK, denyingMount(SeccompAction.ALLOW, true));
    assertAbsent(
        Check.NO_ARCHITECTURE_CHECK, new BpfAssembler().ret(SeccompAction.ALLOW).assemble());
  }

  @Test
  void shouldFindThatOtherArchitecturesAreAllowed() {
    Finding finding =
        find(Check.OTHER_ARCHITECTURE_ALLOWED, denyingMount(SeccompAction.ALLOW, false));

    assertThat(finding.example().orElseThrow().arch()).isEqualTo(Architecture.I386.auditValue());
    assertAbsent(Check.OTHER_ARCHITECTURE_ALLOWED, denyingMount(SeccompAction.KILL_PROCESS, false));
    assertAbsent(Check.OTHER_ARCHITECTURE_ALLOWED, denying(MOUNT));
    // x32 has checks of its own; and where nothing is restricted nobody needs a way around.
    assertAbsent(Check.OTHER_ARCHITECTURE_ALLOWED, denyingMount(SeccompAction.KILL_PROCESS, true));
    assertAbsent(Check.OTHER_ARCHITECTURE_ALLOWED, denylist());
  }

  @Test
  void shouldFindTheX32Hole() {
    BpfProgram open = denyingMount(SeccompAction.KILL_PROCESS, true);
    Finding finding = find(Check.X32_HOLE, open);

    assertThat(finding.example().orElseThrow().nr()).isEqualTo(MOUNT | Architecture.X32_BIT);
    assertThat(answer(open, finding)).isEqualTo(SeccompAction.ALLOW);
    assertAbsent(Check.X32_ALLOWED, open);
    assertAbsent(Check.X32_HOLE, denyingMount(SeccompAction.KILL_PROCESS, false));
  }

  @Test
  void shouldFindX32CallsThatAreAllowed() {
    SeccompPolicy.Builder both =
        allowlist().allow("read").architecture(Architecture.X32).allow("read");

    assertThat(find(Check.X32_ALLOWED, both).example().orElseThrow().nr())
        .isEqualTo(READ | Architecture.X32_BIT);
    assertAbsent(Check.X32_HOLE, both);
    // Number 512 is only x32's.
    assertAbsent(Check.X32_HOLE, allowlist().architecture(Architecture.X32).allow("rt_sigaction"));
    assertAbsent(Check.X32_ALLOWED, allowlist().allow("read"));
  }

  @Test
  void shouldFindThatOnlyTheLowHalfIsCompared() {
    Finding finding =
        find(Check.LOW_HALF_ONLY, allowlist().allow("read", argument(2).low32().lessThan(5000)));

    assertThat(finding.call()).hasValue("read");
    assertThat(finding.message()).contains("argument 2");
    assertThat(finding.example())
        .hasValue(SeccompData.of(Architecture.X86_64, 0, 0, 0, 0, 1L << 32));
    assertAbsent(Check.LOW_HALF_ONLY, allowlist().allow("read", argument(2).lessThan(5000)));
    // A descriptor, which has 32 bits; and a mask, for which the other bits do not matter.
    assertAbsent(Check.LOW_HALF_ONLY, allowlist().allow("read", argument(0).low32().equalTo(5)));
    assertAbsent(
        Check.LOW_HALF_ONLY, allowlist().allow("unshare", argument(0).maskedEqualTo(0x30000, 0)));
    // There the high half is always 0.
    assertAbsent(
        Check.LOW_HALF_ONLY,
        SeccompPolicy.builder(Architecture.I386).allow("read", argument(2).low32().lessThan(5000)));
  }

  /** What the kernel takes for AF_VSOCK, but a comparison of 64 bits does not. */
  @Test
  void shouldFindEvasionByHighBits() {
    SeccompPolicy.Builder policy = allowlist().allow("socket", argument(0).notEqualTo(40));
    Finding finding = find(Check.HIGH_HALF_EVASION, policy);
    SeccompData example = finding.example().orElseThrow();

    assertThat((int) example.a0()).isEqualTo(40);
    assertThat(policy.build().evaluate(example)).isEqualTo(SeccompAction.ALLOW);
    assertAbsent(Check.HIGH_HALF_NEEDLESS, policy);
    assertAbsent(
        Check.HIGH_HALF_EVASION, allowlist().allow("socket", argument(0).low32().notEqualTo(40)));
    // There the high half is always 0.
    assertAbsent(
        Check.HIGH_HALF_EVASION,
        SeccompPolicy.builder(Architecture.I386).allow("socket", argument(0).notEqualTo(40)));
    // 64 bits count.
    assertAbsent(Check.HIGH_HALF_EVASION, allowlist().allow("read", argument(2).notEqualTo(40)));
  }

  /** Denied as the C library passes it, sign-extended, and allowed with any other high half. */
  @Test
  void shouldFindEvasionOfNegativeNumbers() {
    find(Check.HIGH_HALF_EVASION, allowlist().allow("kill", argument(0).notEqualTo(-1)));
    assertAbsent(Check.HIGH_HALF_EVASION, allowlist().allow("kill", argument(0).equalTo(-1)));
  }

  @Test
  void shouldFindNeedlessHighHalves() {
    Finding finding =
        find(Check.HIGH_HALF_NEEDLESS, allowlist().allow("socket", argument(0).equalTo(1)));

    assertThat(finding.check().severity()).isEqualTo(Severity.INFO);
    assertAbsent(Check.HIGH_HALF_EVASION, allowlist().allow("socket", argument(0).equalTo(1)));
    assertAbsent(
        Check.HIGH_HALF_NEEDLESS, allowlist().allow("socket", argument(0).low32().equalTo(1)));
  }

  @Test
  void shouldFindComparedPointers() {
    Finding finding =
        find(Check.POINTER_COMPARED, allowlist().allow("chdir", argument(0).equalTo(0x7000)));

    assertThat(finding.call()).hasValue("chdir");
    assertThat(finding.example()).hasValue(SeccompData.of(Architecture.X86_64, 80, 0, 0x7000));
    // Null is nothing to look at, and this is an address that itself counts.
    assertAbsent(Check.POINTER_COMPARED, allowlist().allow("chdir", argument(0).equalTo(0)));
    assertAbsent(Check.POINTER_COMPARED, allowlist().allow("munmap", argument(0).lessThan(0x7000)));
  }

  @Test
  void shouldFindReplacements() {
    Condition threads = argument(0).maskedEqualTo(0x10000, 0x10000);
    Finding finding =
        find(Check.REPLACEMENT_ALLOWED, allowlist().allow("clone", threads).allow("clone3"));

    assertThat(finding.call()).hasValue("clone");
    assertThat(finding.message()).contains("clone3");
    assertThat(finding.example()).hasValue(SeccompData.of(Architecture.X86_64, 435, 0));
    assertAbsent(Check.REPLACEMENT_ALLOWED, allowlist().allow("clone", threads));
    assertAbsent(
        Check.REPLACEMENT_ALLOWED,
        allowlist().allow("clone", threads).rule("clone3", SeccompAction.errno(38)));
    // Not listed, which is no restriction on purpose.
    assertAbsent(Check.REPLACEMENT_ALLOWED, allowlist().allow("execveat"));
  }

  @Test
  void shouldFindReplacementsOfWhatIsDenied() {
    assertThat(
            find(Check.REPLACEMENT_ALLOWED, denylist().rule("execve", SeccompAction.errno(1)))
                .message())
        .contains("execveat");
    assertAbsent(
        Check.REPLACEMENT_ALLOWED,
        denylist().rule("execve", SeccompAction.errno(1)).rule("execveat", SeccompAction.errno(1)));
  }

  /** It does not make threads or namespaces, and there is nothing else that it does. */
  @Test
  void shouldNotTakeForkForMoreThanItIs() {
    Condition noNamespaces = argument(0).maskedEqualTo(0x7e02_0000, 0);
    Condition threads = argument(0).maskedEqualTo(0x10000, 0x10000);

    assertAbsent(Check.REPLACEMENT_ALLOWED, allowlist().allow("clone", noNamespaces).allow("fork"));
    assertThat(
            find(Check.REPLACEMENT_ALLOWED, allowlist().allow("clone", threads).allow("fork"))
                .message())
        .contains("fork");
  }

  /** A condition that all calls have does not make a restriction. */
  @Test
  void shouldNotTakePlacesForRestrictions() {
    Condition image = Condition.instructionPointerIn(0x1000, 0x2000);
    SeccompPolicy.Builder policy = allowlist().allow("clone", image).allow("clone3", image);

    assertAbsent(Check.REPLACEMENT_ALLOWED, policy);
    assertAbsent(Check.REPLACEMENT_ALLOWED, allowlist().allow("clone").allow("clone3"));
    find(Check.DANGEROUS_CALL, allowlist().allow("bpf", image));
  }

  @Test
  void shouldFindIoUringBesideRestrictedCalls() {
    assertThat(
            find(
                    Check.REPLACEMENT_ALLOWED,
                    allowlist()
                        .allow("socket", argument(0).low32().equalTo(1))
                        .allow("io_uring_setup"))
                .message())
        .contains("io_uring_setup");
  }

  @Test
  void shouldFindDangerousCalls() {
    assertThat(find(Check.DANGEROUS_CALL, allowlist().allow("bpf")).call()).hasValue("bpf");
    assertAbsent(Check.DANGEROUS_CALL, allowlist().allow("bpf", argument(0).low32().equalTo(1)));
    assertAbsent(Check.DANGEROUS_CALL, allowlist().allow("read"));
  }

  @Test
  void shouldFindThatUnknownCallsAreAllowed() {
    SeccompPolicy.Builder policy = denylist().rule("mount", SeccompAction.errno(1));
    Finding finding = find(Check.UNKNOWN_CALLS_ALLOWED, policy);

    assertThat(finding.architecture()).hasValue(Architecture.X86_64);
    assertThat(answer(SeccompCompiler.compile(policy.build()), finding))
        .isEqualTo(SeccompAction.ALLOW);
    assertAbsent(Check.UNKNOWN_CALLS_ALLOWED, allowlist().allow(1000));
  }

  @Test
  void shouldFindThatOnlyTheThreadIsKilled() {
    BpfProgram program =
        SeccompCompiler.compile(allowlist().defaultAction(SeccompAction.KILL_THREAD).build());
    Finding finding = find(Check.KILL_THREAD, program);

    assertThat(program.instructions().get(finding.instruction().orElseThrow()).code())
        .isEqualTo(Bpf.RET | Bpf.K);
    assertThat(answer(program, finding)).isEqualTo(SeccompAction.KILL_THREAD);
    assertAbsent(Check.KILL_THREAD, allowlist());
  }

  @Test
  void shouldFindCallsThatOnlySeemToSucceed() {
    SeccompPolicy.Builder policy = allowlist().rule("sync", SeccompAction.errno(0));

    assertThat(find(Check.ERRNO_ZERO, policy).example())
        .hasValue(SeccompData.of(Architecture.X86_64, 162, 0));
    assertAbsent(Check.ERRNO_ZERO, allowlist().rule("sync", SeccompAction.errno(1)));
  }

  private static BpfProgram returning(int value) {
    return new BpfAssembler().ret(value).assemble();
  }

  @Test
  void shouldFindValuesThatAreNoActions() {
    assertThat(find(Check.UNKNOWN_ACTION, returning(0x12340000)).instruction()).hasValue(0);
    assertAbsent(Check.UNKNOWN_ACTION, returning(0x80000000));
    for (SeccompAction.Kind kind : SeccompAction.Kind.values()) {
      assertAbsent(Check.UNKNOWN_ACTION, returning(new SeccompAction(kind, 0).encode()));
    }
  }

  @Test
  void shouldFindErrnosThatAreTooLarge() {
    find(Check.ERRNO_TOO_LARGE, returning(0x00051000));
    find(Check.ERRNO_TOO_LARGE, returning(0x00058000));
    assertAbsent(Check.ERRNO_TOO_LARGE, returning(0x00050fff));
    assertAbsent(Check.ERRNO_TOO_LARGE, returning(0x00031000));
  }

  @Test
  void shouldFindDivisionByZero() {
    BpfAssembler division =
        new BpfAssembler().ldAbs(16).tax().ldImm(1).aluX(Bpf.DIV).ret(SeccompAction.ALLOW);
    BpfAssembler right =
        new BpfAssembler()
            .ldAbs(16)
            .alu(Bpf.OR, 1)
            .tax()
            .ldImm(1)
            .aluX(Bpf.DIV)
            .ret(SeccompAction.ALLOW);

    assertThat(find(Check.DIVISION_BY_ZERO, division.assemble()).instruction()).hasValue(3);
    assertAbsent(Check.KILL_THREAD, division.assemble());
    assertAbsent(Check.DIVISION_BY_ZERO, right.assemble());
  }

  @Test
  void shouldFindWhoElseDecides() {
    find(Check.TRACE, allowlist().rule("sync", SeccompAction.trace(1)));
    find(Check.USER_NOTIF, allowlist().rule("sync", SeccompAction.USER_NOTIF));
    assertAbsent(Check.TRACE, allowlist().rule("sync", SeccompAction.USER_NOTIF));
    assertAbsent(Check.USER_NOTIF, allowlist().rule("sync", SeccompAction.trace(1)));
  }

  private static SeccompPolicy.Builder only(SeccompAction otherwise, String... names) {
    SeccompPolicy.Builder policy =
        SeccompPolicy.builder(Architecture.X86_64).defaultAction(otherwise);
    for (String name : names) {
      policy.allow(name);
    }
    return policy;
  }

  @Test
  void shouldFindHandlersThatCannotReturn() {
    find(Check.TRAP_WITHOUT_RETURN, only(SeccompAction.TRAP, "read"));
    assertAbsent(Check.TRAP_WITHOUT_RETURN, only(SeccompAction.TRAP, "rt_sigreturn"));
    assertAbsent(Check.TRAP_WITHOUT_RETURN, only(SeccompAction.errno(1), "read"));
  }

  @Test
  void shouldFindThatNobodyCanExit() {
    find(Check.EXIT_DENIED, only(SeccompAction.errno(1), "read"));
    assertAbsent(Check.EXIT_DENIED, only(SeccompAction.errno(1), "exit"));
    // An architecture of which nothing is allowed.
    assertAbsent(
        Check.EXIT_DENIED,
        allowlist().architecture(Architecture.I386).rule("read", SeccompAction.errno(7)));
    assertAbsent(Check.EXIT_DENIED, only(SeccompAction.errno(1), "exit_group"));
  }

  @Test
  void shouldFindThatNoFilterCanBeInstalled() {
    find(Check.SECCOMP_DENIED, only(SeccompAction.errno(1), "read"));
    assertAbsent(Check.SECCOMP_DENIED, only(SeccompAction.errno(1), "seccomp"));
    assertAbsent(
        Check.SECCOMP_DENIED,
        only(SeccompAction.errno(1)).allow("prctl", argument(0).low32().equalTo(22)));
  }

  @Test
  void shouldFindThatSkippedCallsAreKilled() {
    find(Check.SKIPPED_CALL_KILLED, only(SeccompAction.KILL_PROCESS, "read"));
    find(Check.SKIPPED_CALL_KILLED, only(SeccompAction.TRAP, "read"));
    assertAbsent(Check.SKIPPED_CALL_KILLED, only(SeccompAction.errno(1), "read"));
    assertAbsent(Check.SKIPPED_CALL_KILLED, only(SeccompAction.KILL_PROCESS).allow(-1));
  }

  @Test
  void shouldFindNeedlessCode() {
    BpfAssembler assembler = new BpfAssembler();
    Label large = assembler.label("large");
    Label never = assembler.label("never");
    BpfProgram program =
        assembler
            .ldAbs(SeccompData.NR_OFFSET)
            .jump(Bpf.JGT, 100, large, BpfAssembler.NEXT)
            .jump(Bpf.JGT, 200, never, large)
            .bind(never)
            .ret(SeccompAction.LOG)
            .bind(large)
            .ret(SeccompAction.ALLOW)
            .assemble();

    assertThat(find(Check.DEAD_INSTRUCTIONS, program).instruction()).hasValue(3);
    assertThat(find(Check.CONSTANT_TESTS, program))
        .satisfies(
            finding -> {
              assertThat(finding.instruction()).hasValue(2);
              assertThat(finding.message()).endsWith(": [2]");
            });
    assertAbsent(Check.DEAD_INSTRUCTIONS, denying(1));
    assertAbsent(Check.CONSTANT_TESTS, denying(1));
  }

  @Test
  void shouldListTheWorstFirst() {
    List<Severity> severities =
        SeccompAudit.audit(denying(MOUNT)).stream()
            .map(finding -> finding.check().severity())
            .toList();

    assertThat(severities).isSorted().contains(Severity.HIGH, Severity.MEDIUM, Severity.LOW);
  }

  @Test
  void shouldNameFindings() {
    assertThat(find(Check.ERRNO_ZERO, returning(0x00050000)))
        .hasToString(
            "MEDIUM errno-zero: instruction 0: ERRNO(0): the call is not executed, but returns 0 as"
                + " if it had succeeded");
  }

  @Test
  void shouldRefuseWhatTheKernelRefuses() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SeccompAudit.audit(new BpfAssembler().ldImm(1).assemble()));
  }

  @Test
  void shouldSayWhatCannotBeFollowed() {
    BpfProgram program =
        new BpfAssembler().ldAbs(16).tax().ldAbs(24).aluX(Bpf.MUL).retA().assemble();

    assertThatExceptionOfType(UndecidedException.class)
        .isThrownBy(() -> SeccompAudit.audit(program, 10_000))
        .withMessageContaining("instruction 3");
  }

  /** A misspelt name would never be found in a table of calls. */
  @Test
  void shouldOnlyKnowCallsThatThereAre() {
    Set<String> calls = new TreeSet<>();
    for (Architecture architecture : EnumSet.allOf(Architecture.class)) {
      calls.addAll(SystemCallTable.of(architecture).names());
    }
    List<String> named = new ArrayList<>(CallKnowledge.calls());
    named.addAll(CallKnowledge.dangerous().keySet());
    named.addAll(CallKnowledge.replacements().keySet());
    CallKnowledge.replacements()
        .values()
        .forEach(others -> others.forEach(other -> named.add(other.call())));

    assertThat(calls).containsAll(named);
    assertThat(CallKnowledge.calls().size()).isGreaterThan(200);
  }
}
