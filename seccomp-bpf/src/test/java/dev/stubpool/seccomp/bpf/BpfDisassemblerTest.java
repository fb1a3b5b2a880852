package dev.stubpool.seccomp.bpf;

import static dev.stubpool.seccomp.bpf.BpfAssembler.NEXT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.bpf.BpfAssembler.Label;
import org.junit.jupiter.api.Test;

class BpfDisassemblerTest {

  @Test
  void shouldNameWordsActionsAndTheArchitecture() {
    BpfAssembler assembler = new BpfAssembler();
    Label bad = assembler.label("bad");
    BpfProgram program =
        assembler
            .ldAbs(4)
            .jump(Bpf.JEQ, 0xc000003e, NEXT, bad)
            .ldAbs(0)
            .jump(Bpf.JEQ, 39, NEXT, bad)
            .ldAbs(8)
            .ldAbs(12)
            .ldAbs(16)
            .ldAbs(60)
            .ret(SeccompAction.ALLOW)
            .bind(bad)
            .ret(SeccompAction.errno(13))
            .assemble();

    assertThat(program)
        .hasToString(
            """
               0: ld [4]                         ; arch
               1: jeq #0xc000003e, 2, 9          ; x86_64
               2: ld [0]                         ; nr
               3: jeq #0x27, 4, 9
               4: ld [8]                         ; ip low
               5: ld [12]                        ; ip high
               6: ld [16]                        ; args[0] low
               7: ld [60]                        ; args[5] high
               8: ret #0x7fff0000                ; ALLOW
               9: ret #0x5000d                   ; ERRNO(13)
            """);
  }

  @Test
  void shouldShowEveryInstruction() {
    assertThat(
            new BpfAssembler()
                .ldImm(1)
                .ldLen()
                .st(2)
                .ldMem(2)
                .ldxImm(-1)
                .ldxLen()
                .stx(15)
                .ldxMem(15)
                .alu(Bpf.AND, 255)
                .aluX(Bpf.RSH)
                .neg()
                .tax()
                .txa()
                .ja(NEXT)
                .jumpX(Bpf.JGT, NEXT, NEXT)
                .retA()
                .assemble()
                .toString()
                .lines()
                .map(line -> line.substring(6)))
        .containsExactly(
            "ld #0x1",
            "ld len",
            "st M[2]",
            "ld M[2]",
            "ldx #0xffffffff",
            "ldx len",
            "stx M[15]",
            "ldx M[15]",
            "and #0xff",
            "rsh x",
            "neg",
            "tax",
            "txa",
            "ja 14",
            "jgt x, 15, 15",
            "ret a");
  }

  @Test
  void shouldShowWhatTheKernelRefuses() {
    BpfProgram program =
        BpfProgram.of(
            new BpfInstruction(0x28, 1, 2, 0xabc),
            BpfInstruction.of(0x05, -1),
            BpfInstruction.of(0x20, 99),
            BpfInstruction.of(0x60, -1),
            BpfInstruction.of(0x06, 0x12340000),
            BpfInstruction.of(0x06, 0x7fff0001));

    assertThat(program)
        .hasToString(
            """
               0: unknown 0x0028 1 2 0xabc
               1: ja 4294967297
               2: ld [99]
               3: ld M[4294967295]
               4: ret #0x12340000                ; acts as KILL_PROCESS
               5: ret #0x7fff0001                ; acts as ALLOW
            """);
  }
}
