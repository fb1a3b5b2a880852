package dev.stubpool.seccomp.bpf;

import dev.stubpool.seccomp.SeccompData;

/**
 * The opcode constants of classic BPF, named and valued as in {@code linux/bpf_common.h} and {@code
 * linux/filter.h}.
 *
 * <p>An opcode is the bitwise OR of a class and the fields of that class: {@code LD | W | ABS}
 * loads a word, {@code ALU | ADD | X} adds the index register. Many combinations are illegal in
 * seccomp filters: see {@link BpfVerifier}.
 */
public final class Bpf {

  /** Class: load into A. */
  public static final int LD = 0x00;

  /** Class: load into X. */
  public static final int LDX = 0x01;

  /** Class: store A into a scratch word. */
  public static final int ST = 0x02;

  /** Class: store X into a scratch word. */
  public static final int STX = 0x03;

  /** Class: arithmetic on A. */
  public static final int ALU = 0x04;

  /** Class: jumps. */
  public static final int JMP = 0x05;

  /** Class: return. */
  public static final int RET = 0x06;

  /** Class: transfers between A and X. */
  public static final int MISC = 0x07;

  /** Size of a load: 32 bits. */
  public static final int W = 0x00;

  /** Size of a load: 16 bits; never legal in seccomp. */
  public static final int H = 0x08;

  /** Size of a load: 8 bits; never legal in seccomp. */
  public static final int B = 0x10;

  /** Mode of a load: the constant {@code k}. */
  public static final int IMM = 0x00;

  /** Mode of a load: the input at offset {@code k}. */
  public static final int ABS = 0x20;

  /** Mode of a load: the input at offset {@code X + k}; never legal in seccomp. */
  public static final int IND = 0x40;

  /** Mode of a load: scratch word {@code k}. */
  public static final int MEM = 0x60;

  /** Mode of a load: the length of the input, for seccomp always {@value SeccompData#SIZE}. */
  public static final int LEN = 0x80;

  /** Mode of a load: length of an IP header; never legal in seccomp. */
  public static final int MSH = 0xa0;

  /** Arithmetic: {@code A + operand}. */
  public static final int ADD = 0x00;

  /** Arithmetic: {@code A - operand}. */
  public static final int SUB = 0x10;

  /** Arithmetic: {@code A * operand}. */
  public static final int MUL = 0x20;

  /** Arithmetic: {@code A / operand}, unsigned. */
  public static final int DIV = 0x30;

  /** Arithmetic: {@code A | operand}. */
  public static final int OR = 0x40;

  /** Arithmetic: {@code A & operand}. */
  public static final int AND = 0x50;

  /** Arithmetic: {@code A << operand}. */
  public static final int LSH = 0x60;

  /** Arithmetic: {@code A >> operand}, filling with zeros. */
  public static final int RSH = 0x70;

  /** Arithmetic: {@code -A}; has no operand. */
  public static final int NEG = 0x80;

  /** Arithmetic: remainder; never legal in seccomp. */
  public static final int MOD = 0x90;

  /** Arithmetic: {@code A ^ operand}. */
  public static final int XOR = 0xa0;

  /** Jump: always, by {@code k} instructions. */
  public static final int JA = 0x00;

  /** Jump: if {@code A == operand}. */
  public static final int JEQ = 0x10;

  /** Jump: if {@code A > operand}, unsigned. */
  public static final int JGT = 0x20;

  /** Jump: if {@code A >= operand}, unsigned. */
  public static final int JGE = 0x30;

  /** Jump: if {@code (A & operand) != 0}. */
  public static final int JSET = 0x40;

  /** Operand: the constant {@code k}. */
  public static final int K = 0x00;

  /** Operand: the register X. */
  public static final int X = 0x08;

  /** Return: the value of register A. */
  public static final int A = 0x10;

  /** Transfer: {@code X = A}. */
  public static final int TAX = 0x00;

  /** Transfer: {@code A = X}. */
  public static final int TXA = 0x80;

  /** The number of scratch words, {@code M[0]} to {@code M[15]} (BPF_MEMWORDS). */
  public static final int MEMWORDS = 16;

  /** The greatest number of instructions in a program (BPF_MAXINSNS). */
  public static final int MAXINSNS = 4096;

  private Bpf() {}
}
