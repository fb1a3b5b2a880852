package dev.stubpool.seccomp.bpf;

/**
 * Reads programs as people and tools write them. Three notations are told apart by how the text
 * begins, comments aside:
 *
 * <ul>
 *   <li>the assembler of the kernel's {@code bpf_asm} ({@code tools/bpf} of its sources), which is
 *       also what {@link BpfDisassembler} writes;
 *   <li>an opening brace: the C initialisers that {@code bpf_asm -c} and {@code tcpdump -dd} print,
 *       <code>{ 0x06, 0, 0, 0x7fff0000 },</code> for each instruction;
 *   <li>a number: the decimal numbers of {@code bpf_asm} and {@code tcpdump -ddd}, first how many
 *       instructions there are, then {@code code jt jf k} of each, with or without commas between
 *       instructions.
 * </ul>
 *
 * <p>Of the assembler this is different from {@code bpf_asm}, so that a mistake is an error and
 * every program can be written: a label may have one letter and stand more than once before an
 * instruction; a label that is bound twice, a jump backwards, a number of more than 32 bits and a
 * name of more than 255 characters are refused; {@code [x+4]} needs no blanks; and {@code .insn
 * code, jt, jf, k} is any instruction at all, such as one that jumps out of the program.
 *
 * <p>What is read need not be what the kernel takes: {@link BpfVerifier} decides that. Numbers are
 * decimal, hexadecimal (0x), octal (0) or binary (0b), from -2147483648 to 4294967295.
 */
public final class BpfAssemblyText {

  private BpfAssemblyText() {}

  /**
   * Reads a program.
   *
   * @param text the program
   * @return what it says
   * @throws BpfSyntaxException if it is no program of 1 to {@value Bpf#MAXINSNS} instructions;
   *     tells line and column
   */
  public static BpfProgram parse(String text) {
    AssemblyLexer.Token first = new AssemblyLexer(text).next();
    if (first.kind() == AssemblyLexer.Kind.NUMBER) {
      return new ListingParser(text).decimal();
    }
    return first.is("{") ? new ListingParser(text).braces() : new AssemblyParser(text).parse();
  }
}
