package dev.stubpool.seccomp.bpf;

import java.util.List;
import java.util.Optional;

/**
 * Shows programs to people, in the assembler of the kernel's {@code bpf_asm}: {@link
 * BpfAssemblyText} reads the text back to the same program.
 *
 * <p>Each instruction has a line with its index as label, and a comment if there is something to
 * say: which word of {@code struct seccomp_data} is loaded or tested, whatever way led there; the
 * names of architectures, actions and errnos; the names of system calls, on the architectures that
 * the program may have found on the way; and some arguments' constants.
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
 * <p>Where the program has not tested the architecture, x86-64 is supposed, and {@code (if x86_64)}
 * behind the name says so. Any program can be shown, also one that the kernel refuses: what {@code
 * bpf_asm} cannot say is written as {@code .insn code, jt, jf, k}.
 */
public final class BpfDisassembler {

  private static final int LABEL_WIDTH = 6;
  private static final int COMMENT_COLUMN = 34;

  private BpfDisassembler() {}

  /**
   * Shows a program.
   *
   * @param program the program
   * @return a line for each instruction, each ended by {@code \n}
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
