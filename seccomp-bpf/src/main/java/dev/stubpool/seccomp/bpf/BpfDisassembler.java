package dev.stubpool.seccomp.bpf;

import java.util.List;
import java.util.Optional;

/**
 * Disassembles programs to the language of the kernel's {@code bpf_asm}. {@link BpfAssemblyText}
 * parses the text to the same program.
 *
 * <p>Each instruction is a line with its index as label. Comments name the word of {@code struct
 * seccomp_data} that is loaded or tested, if it is the same on all paths; architectures, actions
 * and errnos; system calls, on the architectures that are possible at that point; and constants of
 * some arguments.
 *
 * <pre>
 * l0:   ld [4]                            ; arch
 * l1:   jeq #0xc000003e, l2, l8           ; arch == x86_64, x32
 * l2:   ld [0]                            ; nr
 * l3:   jeq #0x3e, l4, l8                 ; nr == kill
 * l4:   ld [28]                           ; args[1] high of kill
 * l5:   jeq #0x0, l6, l8                  ; args[1] high == 0
 * l6:   ld [24]                           ; args[1] low of kill
 * l7:   jeq #0x13, l9, l8                 ; args[1] low == SIGSTOP
 * l8:   ret #0x50001                      ; ERRNO(1) EPERM
 * l9:   ret #0x7fff0000                   ; ALLOW
 * </pre>
 *
 * <p>If the program has not tested the architecture, x86-64 is assumed and marked by {@code (if
 * x86_64)} after the name. Programs that the kernel refuses can be disassembled, too: instructions
 * that {@code bpf_asm} cannot express are written as {@code .insn code, jt, jf, k}.
 */
public final class BpfDisassembler {

  private static final int LABEL_WIDTH = 6;
  private static final int COMMENT_COLUMN = 34;

  private BpfDisassembler() {}

  /**
   * Disassembles a program.
   *
   * @param program the program
   * @return a line for each instruction, each terminated by {@code \n}
   */
  public static String disassemble(BpfProgram program) {
    StringBuilder out = new StringBuilder();
    List<BpfInstruction> instructions = program.instructions();
    List<Optional<PathKnowledge>> known = PathKnowledge.of(program);
    for (int pc = 0; pc < instructions.size(); pc++) {
      BpfInstruction instruction = instructions.get(pc);
      String label = InstructionText.label(pc) + ":";
      String text = InstructionText.of(instruction, pc, instructions.size());
      String comment =
          known.get(pc).map(before -> Comments.of(instruction, before)).orElse("never reached");
      out.append(label).repeat(' ', Math.max(1, LABEL_WIDTH - label.length())).append(text);
      if (!comment.isEmpty()) {
        out.repeat(' ', Math.max(1, COMMENT_COLUMN - text.length())).append("; ").append(comment);
      }
      out.append('\n');
    }
    return out.toString();
  }
}
