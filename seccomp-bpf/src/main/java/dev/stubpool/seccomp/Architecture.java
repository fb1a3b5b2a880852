package dev.stubpool.seccomp;

import java.util.Optional;

/**
 * A calling convention that filters can tell from others: by the AUDIT_ARCH value ({@code
 * linux/audit.h}) and, on x86-64, by bit 30 of the number.
 *
 * <p>All of them are little-endian.
 */
public enum Architecture {
  /**
   * x86-64. Shares its AUDIT_ARCH value with {@link #X32}: what has bit 30 set is not its number,
   * but for -1, which is how a tracer skips a call and belongs to nobody else.
   */
  X86_64("x86_64", 0xc000003e, 64),

  /** 32-bit x86, also made by {@code int 0x80} from 64-bit code. */
  I386("x86", 0x40000003, 32),

  /**
   * x86-64 with 32-bit pointers: numbers with bit 30 set (__X32_SYSCALL_BIT), which is part of the
   * number here as in the kernel.
   */
  X32("x32", 0xc000003e, 64),

  /** 64-bit Arm. */
  AARCH64("aarch64", 0xc00000b7, 64),

  /** 32-bit Arm, EABI. */
  ARM("arm", 0x40000028, 32),

  /** 64-bit RISC-V. */
  RISCV64("riscv64", 0xc00000f3, 64),

  /** 32-bit RISC-V. */
  RISCV32("riscv32", 0x400000f3, 32),

  /** 64-bit LoongArch. */
  LOONGARCH64("loongarch64", 0xc0000102, 64),

  /** 32-bit MIPS, little-endian, o32: numbers from 4000 on. */
  MIPSEL("mipsel", 0x40000008, 32),

  /** 64-bit MIPS, little-endian, n64: numbers from 5000 on. */
  MIPSEL64("mipsel64", 0xc0000008, 64),

  /** 64-bit MIPS with 32-bit pointers, little-endian, n32: numbers from 6000 on. */
  MIPSEL64N32("mipsel64n32", 0xe0000008, 64),

  /** 64-bit POWER, little-endian. */
  PPC64LE("ppc64le", 0xc0000015, 64),

  /** SuperH, little-endian. */
  SH("sh", 0x4000002a, 32);

  /** Marks the numbers of x32 (__X32_SYSCALL_BIT). */
  public static final int X32_BIT = 0x40000000;

  private final String label;
  private final int auditValue;
  private final int bits;

  Architecture(String label, int auditValue, int bits) {
    this.label = label;
    this.auditValue = auditValue;
    this.bits = bits;
  }

  /**
   * The architecture of a system call.
   *
   * @param auditValue what {@code seccomp_data.arch} holds
   * @param nr the number
   * @return the architecture, if it is one of these
   */
  public static Optional<Architecture> of(int auditValue, int nr) {
    for (Architecture architecture : values()) {
      if (architecture.auditValue == auditValue && architecture.owns(nr)) {
        return Optional.of(architecture);
      }
    }
    return Optional.empty();
  }

  /**
   * The architecture of a name.
   *
   * @param label a {@link #label}
   * @return the architecture, if it is one of these
   */
  public static Optional<Architecture> ofLabel(String label) {
    for (Architecture architecture : values()) {
      if (architecture.label.equals(label)) {
        return Optional.of(architecture);
      }
    }
    return Optional.empty();
  }

  /**
   * The name in texts, as libseccomp has it.
   *
   * @return such as {@code x86_64}, or {@code x86} for the 32-bit one
   */
  public String label() {
    return label;
  }

  /**
   * What {@code seccomp_data.arch} holds.
   *
   * @return the AUDIT_ARCH value
   */
  public int auditValue() {
    return auditValue;
  }

  /**
   * How wide its registers are as system calls see them.
   *
   * @return 32 or 64; of 32-bit ones the kernel zero-extends the arguments
   */
  public int bits() {
    return bits;
  }

  /**
   * Whether a number is of this architecture and not of another one with the same AUDIT_ARCH value.
   *
   * @param nr a system call number; whether the kernel knows it does not matter
   * @return false for numbers with bit 30 on x86-64, and for those without on x32; -1 is x86-64's
   */
  public boolean owns(int nr) {
    boolean marked = (nr & X32_BIT) != 0 && nr != -1;
    return switch (this) {
      case X86_64 -> !marked;
      case X32 -> marked;
      default -> true;
    };
  }
}
