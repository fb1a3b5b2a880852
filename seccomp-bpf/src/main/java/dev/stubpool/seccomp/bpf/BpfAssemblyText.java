package dev.stubpool.seccomp.bpf;

/**
 * Parses programs in text form. The beginning of the text, comments skipped, tells which of three
 * notations is used:
 *
 * <ul>
 *   <li>the assembler of the kernel's {@code bpf_asm} ({@code tools/bpf} of its sources), which is
 *       also what {@link BpfDisassembler} writes;
 *   <li>an opening brace: the C initialisers that {@code bpf_asm -c} and {@code tcpdump -dd} print,
 *       <code>{ 0x06, 0, 0, 0x7fff0000 },</code> for each instruction;
 *   <li>a number: the decimal numbers of {@code bpf_asm} and {@code tcpdump -ddd}, first the number
 *       of instructions, then {@code code jt jf k} of each, with or without commas between
 *       instructions.
 * </ul>
 *
 * <p>The assembler differs from {@code bpf_asm} so that mistakes are reported and every program can
 * be written: a label may have one letter and stand more than once before an instruction; a label
 * that is defined twice, a jump backwards, a number of more than 32 bits and a name of more than
 * 255 characters are refused; {@code [x+4]} needs no blanks; and {@code .insn code, jt, jf, k}
 * writes any instruction, even one that jumps out of the program.
 *
 * <p>The program is not verified: see {@link BpfVerifier}. Numbers are decimal, hexadecimal (0x),
 * octal (0) or binary (0b), from -2147483648 to 4294967295.
 */
public final class BpfAssemblyText {

  private BpfAssemblyText() {}

  /**
   * Parses a program.
   *
   * @param text the text
   * @return the program
   * @throws BpfSyntaxException if the text is not a program of 1 to {@value Bpf#MAXINSNS}
   *     instructions; has the line and column of the error
   */
  public static BpfProgram parse(String text) {
    AssemblyLexer.Token first = new AssemblyLexer(text).next();
    if (first.kind() == AssemblyLexer.Kind.NUMBER) {
      return new ListingParser(text).decimal();
    }
    return first.is("{") ? new ListingParser(text).braces() : new AssemblyParser(text).parse();
  }
}
