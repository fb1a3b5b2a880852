package dev.stubpool.seccomp.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A classic BPF program: 1 to {@value Bpf#MAXINSNS} instructions, immutable.
 *
 * <p>A program need not be one that the kernel accepts: see {@link BpfVerifier}.
 *
 * @param instructions the instructions in order; copied
 */
public record BpfProgram(List<BpfInstruction> instructions) {

  /**
   * Copies the list and checks its length.
   *
   * @throws IllegalArgumentException if there is no instruction, or more than {@value Bpf#MAXINSNS}
   */
  public BpfProgram {
    int length = instructions.size();
    if (length < 1 || length > Bpf.MAXINSNS) {
      throw new IllegalArgumentException(
          "a program has 1 to " + Bpf.MAXINSNS + " instructions: " + length);
    }
    instructions = List.copyOf(instructions);
  }

  /**
   * Creates a program.
   *
   * @param instructions the instructions in order
   * @return the program
   * @throws IllegalArgumentException if there is no instruction, or more than {@value Bpf#MAXINSNS}
   */
  public static BpfProgram of(BpfInstruction... instructions) {
    return new BpfProgram(List.of(instructions));
  }

  /**
   * Decodes a program that {@link #toBytes} has encoded.
   *
   * @param bytes an array of {@code struct sock_filter}, little-endian
   * @return the program
   * @throws IllegalArgumentException if the length is not a multiple of {@value
   *     BpfInstruction#SIZE} bytes, or not 1 to {@value Bpf#MAXINSNS} instructions
   */
  public static BpfProgram fromBytes(byte[] bytes) {
    if (bytes.length % BpfInstruction.SIZE != 0) {
      throw new IllegalArgumentException(
          "an instruction has "
              + BpfInstruction.SIZE
              + " bytes, so they cannot be "
              + bytes.length);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<BpfInstruction> instructions = new ArrayList<>(bytes.length / BpfInstruction.SIZE);
    while (in.hasRemaining()) {
      int code = Short.toUnsignedInt(in.getShort());
      int jt = Byte.toUnsignedInt(in.get());
      int jf = Byte.toUnsignedInt(in.get());
      instructions.add(new BpfInstruction(code, jt, jf, in.getInt()));
    }
    return new BpfProgram(instructions);
  }

  /**
   * The number of instructions.
   *
   * @return 1 to {@value Bpf#MAXINSNS}
   */
  public int length() {
    return instructions.size();
  }

  /**
   * Encodes the program for the kernel, as the array of {@code struct sock_filter} to which {@code
   * struct sock_fprog} points.
   *
   * @return a new array of {@value BpfInstruction#SIZE} bytes an instruction, little-endian
   */
  public byte[] toBytes() {
    ByteBuffer out =
        ByteBuffer.allocate(length() * BpfInstruction.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    for (BpfInstruction instruction : instructions) {
      out.putShort((short) instruction.code())
          .put((byte) instruction.jt())
          .put((byte) instruction.jf())
          .putInt(instruction.k());
    }
    return out.array();
  }

  /**
   * The program as text.
   *
   * @return the result of {@link BpfDisassembler#disassemble}
   */
  @Override
  public String toString() {
    return BpfDisassembler.disassemble(this);
  }
}
