package dev.stubpool.seccomp.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class BpfDisassemblerTest {

  private static String disassemble(String text) {
    return BpfDisassembler.disassemble(BpfAssemblyText.parse(text));
  }

  /** The comments of the program, line by line. */
  private static List<String> comments(String text) {
    return disassemble(text)
        .lines()
        .map(line -> line.contains(";") ? line.substring(line.indexOf(';') + 2) : "")
        .toList();
  }

  @Test
  void shouldShowWhatItsDocumentationShows() {
    assertThat(
            disassemble(
                """
                ld [4]
                jne #0xc000003e, bad
                ld [0]
                jne #62, bad
                ld [28]
                jne #0, bad
                ld [24]
                jeq #19, good
                bad: ret #0x50001
                good: ret #0x7fff0000
                """))
        .isEqualTo(
            """
            l0:   ld [4]                            ; arch
            l1:   jeq #0xc000003e, l2, l8           ; arch == x86_64, x32
            l2:   ld [0]                            ; nr
            l3:   jeq #0x3e, l4, l8                 ; nr == kill
            l4:   ld [28]                           ; args[1] high of kill
            l5:   jeq #0x0, l6, l8                  ; args[1] high == 0
            l6:   ld [24]                           ; args[1] low of kill
            l7:   jeq #0x13, l9, l8                 ; args[1] low == SIGSTOP
            l8:   ret #0x50001                      ; ERRNO(1) EPERM
            l9:   ret #0x7fff0000                   ; ALLOW
            """);
  }

  @Test
  void shouldNameEveryWord() {
    assertThat(
            comments(
                "ld [0] ld [4] ld [8] ld [12] ld [16] ld [20] ld [44] ld [60] ld [64] ld [1] ret"
                    + " a"))
        .containsExactly(
            "nr",
            "arch",
            "ip low",
            "ip high",
            "args[0] low",
            "args[0] high",
            "args[3] high",
            "args[5] high",
            "no word of the input",
            "no word of the input",
            "");
  }

  @Test
  void shouldKnowTheArchitecturesOfThePath() {
    assertThat(
            comments(
                """
                ld [4]
                jeq #0xc000003e, amd
                jeq #0x40000003, intel, other
                amd: ld [0]
                jset #0x40000000, x32
                jeq #39, good
                x32: jeq #0x40000027, good, bad
                intel: ld [0]
                jeq #39, good, bad
                other: ld [0]
                jeq #39, good
                bad: ret #0
                good: ret #0x7fff0000
                """))
        .containsExactly(
            "arch",
            "arch == x86_64, x32",
            "arch == x86",
            "nr",
            "nr & 0x40000000",
            "nr == getpid",
            "nr == getpid",
            "nr",
            "nr == mkdir",
            "nr",
            "nr == 39",
            "KILL_THREAD",
            "ALLOW");
  }

  @Test
  void shouldNameANumberOnEachArchitectureThatIsPossible() {
    assertThat(
            comments(
                """
                ld [4]
                jeq #0xc000003e, amd
                jeq #0x40000003, either
                jeq #0xc00000b7, either
                ret #0
                amd: ld [0] jge #0x40000000, l9
                either: ld [0]
                jeq #20, good
                jgt #1000, l9, good
                l9: ret #0
                good: ret #0x7fff0000
                """))
        .contains("nr == writev (x86_64), getpid (x86), epoll_create1 (aarch64)", "nr > 1000");
  }

  @Test
  void shouldGuessWhereNoArchitectureWasTested() {
    assertThat(comments("ld [0] jeq #59, l3, l2 l2: jeq #0x40000208, l3, l3 l3: ret #0"))
        .containsExactly("nr", "nr == execve (if x86_64)", "nr == execve (if x32)", "KILL_THREAD");
  }

  @Test
  void shouldKnowWhatTheRegistersHoldWhateverWayLedThere() {
    assertThat(
            comments(
                """
                ld [16] jeq #1, same
                st M[0] ldx M[0] ld #5 txa
                same: jeq #2, differs
                ld [20]
                differs: jeq #3, end
                ld [24] and #0xff jgt #7, end, end
                end: ret #0
                """))
        .containsExactly(
            "args[0] low",
            "args[0] low == 1",
            "",
            "",
            "",
            "",
            "args[0] low == 2",
            "args[0] high",
            "",
            "args[1] low",
            "args[1] low & 0xff",
            "(args[1] low & 0xff) > 7",
            "KILL_THREAD");
  }

  @Test
  void shouldNameConstantsOfArguments() {
    assertThat(
            comments(
                """
                ld [4] jne #0xc000003e, bad
                ld [0]
                jeq #62, signal jeq #200, signal jeq #56, clone jeq #10, protection
                jeq #202, futex jeq #16, ioctl jeq #41, socket
                ld [16] jeq #1, good, bad
                signal: ld [24] jeq #9, good, bad
                clone: ld [16] jeq #0x11200, good jset #0x10000000, bad, good
                protection: ld [32] and #6 jeq #6, bad jset #5, bad, good
                futex: ld [24] jeq #0, good jeq #129, good, bad
                ioctl: ld [24] jeq #0x5412, bad, good
                socket: ld [24] jeq #0x80001, good jeq #0x100001, bad, good
                bad: ret #0x50026
                good: ret #0x7fff0000
                """))
        .containsSubsequence(
            "nr == socket",
            "args[0] low",
            "args[0] low == 1",
            "args[1] low of kill, tkill",
            "args[1] low == SIGKILL",
            "args[0] low of clone",
            "args[0] low == CLONE_FS|CLONE_PIDFD|CLONE_THREAD",
            "args[0] low & CLONE_NEWUSER",
            "args[2] low of mprotect",
            "args[2] low & PROT_WRITE|PROT_EXEC",
            "(args[2] low & 0x6) == PROT_WRITE|PROT_EXEC",
            "(args[2] low & 0x6) & PROT_READ|PROT_EXEC",
            "args[1] low of futex",
            "args[1] low == FUTEX_WAIT",
            "args[1] low == FUTEX_WAKE|FUTEX_PRIVATE_FLAG",
            "args[1] low of ioctl",
            "args[1] low == TIOCSTI",
            "args[1] low of socket",
            "args[1] low == SOCK_STREAM|SOCK_CLOEXEC",
            "args[1] low == SOCK_STREAM|0x100000",
            "ERRNO(38) ENOSYS",
            "ALLOW");
  }

  @Test
  void shouldNotNameConstantsWhereTheyMayBeOthers() {
    assertThat(
            comments(
                """
                ld [4] jne #0x40000008, bad
                ld [0] jne #4037, bad
                ld [24] jeq #9, good
                bad: ret #0x50026
                good: ret #0x5000d
                """))
        .containsExactly(
            "arch",
            "arch == mipsel",
            "nr",
            "nr == kill",
            "args[1] low of kill",
            "args[1] low == 9",
            "ERRNO(38) ENOSYS",
            "ERRNO(13)");
  }

  @Test
  void shouldShowActions() {
    assertThat(
            comments(
                """
                jeq #0, l9
                jeq #1, l9
                ret #0x12340000
                l9: ld #0x7ff00005 ret a ret #0x7fc00000
                """))
        .containsExactly("", "never reached", "never reached", "", "TRACE(5)", "never reached");
    assertThat(comments("ld [0] jeq #0, l1, l2 l1: ret #0x12345678 l2: ret #0x7fff0001"))
        .endsWith("acts as KILL_PROCESS", "acts as ALLOW");
  }

  @Test
  void shouldShowWhatTheKernelRefuses() {
    BpfProgram program =
        BpfProgram.of(
            new BpfInstruction(0x28, 1, 2, 0xabc),
            BpfInstruction.of(0x05, -1),
            BpfInstruction.of(0x28, 12),
            BpfInstruction.of(0x60, -1),
            new BpfInstruction(0x15, 0, 200, 7),
            BpfInstruction.of(0xffff, 0),
            BpfInstruction.of(0x0e, 0));

    assertThat(program)
        .hasToString(
            """
            l0:   .insn 0x0028, 1, 2, 0xabc
            l1:   .insn 0x0005, 0, 0, 0xffffffff
            l2:   ldh [12]                          ; never reached
            l3:   ld M[4294967295]                  ; never reached
            l4:   .insn 0x0015, 0, 200, 0x7         ; never reached
            l5:   .insn 0xffff, 0, 0, 0x0           ; never reached
            l6:   ret x                             ; never reached
            """);
  }
}
