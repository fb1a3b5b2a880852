package dev.stubpool.seccomp.bpf;

import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Random programs: valid, nearly valid, and not at all. */
public final class RandomPrograms {

  static final List<Integer> JUMPS = List.of(0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d);

  /** Every opcode that seccomp takes, but returns; said as numbers, so as not to trust names. */
  static final List<Integer> OPCODES =
      List.of(
          0x00, 0x20, 0x60, 0x80, 0x01, 0x61, 0x81, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c,
          0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0xa4, 0xac, 0x84, 0x05, 0x15,
          0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x07, 0x87);

  static final List<Integer> RETURNS = List.of(0x06, 0x16);

  /** Near these the rules and the arithmetic change. */
  private static final List<Integer> CONSTANTS =
      List.of(
          0,
          1,
          2,
          3,
          4,
          15,
          16,
          17,
          30,
          31,
          32,
          33,
          60,
          61,
          63,
          64,
          68,
          255,
          256,
          0xffff,
          0x10000,
          0x7fffffff,
          0x80000000,
          0xfffff000,
          0xfffffffc,
          0xfffffffe,
          0xffffffff);

  /** Few, so that stores and loads meet. */
  private static final List<Integer> SCRATCH_WORDS = List.of(0, 1, 15);

  private RandomPrograms() {}

  /** A program whose every part is legal; it may still load a scratch word too early. */
  public static List<BpfInstruction> legalParts(RandomGenerator random, int length) {
    List<BpfInstruction> program = new ArrayList<>();
    for (int pc = 0; pc < length - 1; pc++) {
      boolean stop = random.nextInt(20) == 0;
      int code = Effort.oneOf(random, stop ? RETURNS : OPCODES);
      if (pc < 4 && random.nextBoolean()) {
        code = Effort.oneOf(random, List.of(0x02, 0x03, 0x20));
      }
      program.add(legal(random, code, length - pc - 2));
    }
    program.add(legal(random, Effort.oneOf(random, RETURNS), 0));
    return program;
  }

  /** A program that the verifier takes. */
  public static BpfProgram valid(RandomGenerator random, int maxLength) {
    while (true) {
      List<BpfInstruction> program = legalParts(random, random.nextInt(1, maxLength + 1));
      if (BpfVerifier.verify(program).isEmpty()) {
        return new BpfProgram(program);
      }
    }
  }

  /** Legal parts with a few of them spoiled. */
  public static List<BpfInstruction> nearlyLegal(RandomGenerator random, int length) {
    List<BpfInstruction> program = legalParts(random, length);
    for (int spoiled = random.nextInt(1, 4); spoiled > 0; spoiled--) {
      int pc = random.nextInt(length);
      BpfInstruction old = program.get(pc);
      int rest = length - pc - 1;
      program.set(
          pc,
          switch (random.nextInt(5)) {
            case 0 -> new BpfInstruction(arbitraryCode(random), old.jt(), old.jf(), old.k());
            case 1 -> new BpfInstruction(old.code(), near(random, rest), old.jf(), old.k());
            case 2 -> new BpfInstruction(old.code(), old.jt(), near(random, rest), old.k());
            case 3 -> new BpfInstruction(old.code(), old.jt(), old.jf(), constant(random));
            default -> legal(random, Effort.oneOf(random, OPCODES), rest);
          });
    }
    return program;
  }

  /** Anything. */
  public static List<BpfInstruction> arbitrary(RandomGenerator random, int length) {
    List<BpfInstruction> program = new ArrayList<>();
    for (int pc = 0; pc < length; pc++) {
      program.add(
          new BpfInstruction(
              arbitraryCode(random), random.nextInt(8), random.nextInt(8), constant(random)));
    }
    return program;
  }

  public static int constant(RandomGenerator random) {
    return random.nextInt(4) == 0 ? random.nextInt() : Effort.oneOf(random, CONSTANTS);
  }

  private static int arbitraryCode(RandomGenerator random) {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextInt(0x10000);
      case 1 -> random.nextInt(0x100);
      case 2 -> Effort.oneOf(random, OPCODES) ^ 1 << random.nextInt(16);
      default -> Effort.oneOf(random, OPCODES);
    };
  }

  /** An instruction with legal operands, if there are any; {@code room} is the furthest jump. */
  private static BpfInstruction legal(RandomGenerator random, int code, int room) {
    int k =
        switch (code) {
          case 0x20 -> 4 * random.nextInt(16);
          case 0x60, 0x61, 0x02, 0x03 -> Effort.oneOf(random, SCRATCH_WORDS);
          case 0x64, 0x74 -> random.nextInt(32);
          case 0x05 -> random.nextInt(Math.min(room, 5) + 1);
          case 0x34 -> constant(random) | 1;
          default -> constant(random);
        };
    if (JUMPS.contains(code)) {
      int reach = Math.min(room, random.nextInt(4) == 0 ? 255 : 5) + 1;
      return new BpfInstruction(code, random.nextInt(reach), random.nextInt(reach), k);
    }
    // What jt and jf are does not matter to any other instruction.
    return random.nextInt(10) == 0
        ? new BpfInstruction(code, random.nextInt(256), random.nextInt(256), k)
        : BpfInstruction.of(code, k);
  }

  private static int near(RandomGenerator random, int value) {
    return Math.clamp(value + random.nextInt(-2, 3), 0, 255);
  }
}
