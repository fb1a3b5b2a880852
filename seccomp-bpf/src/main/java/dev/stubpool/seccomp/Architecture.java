package dev.stubpool.seccomp;

import java.util.Optional;

/**
 * A system call convention that a filter can distinguish: by its AUDIT_ARCH value ({@code
 * linux/audit.h}) and, on x86-64, by bit 30 of the system call number.
 *
 * <p>All architectures here are little-endian.
 */
public enum Architecture {
  /**
   * x86-64. Shares its AUDIT_ARCH value with {@link #X32}: a number with bit 30 set belongs to x32,
   * except -1, by which a tracer skips a call and which counts as x86-64's.
   */
  X86_64("x86_64", 0xc000003e, 64),

  /** 32-bit x86; also what {@code int 0x80} in 64-bit code uses. */
  I386("x86", 0x40000003, 32),

  /**
   * x86-64 with 32-bit pointers. Its numbers have bit 30 set (__X32_SYSCALL_BIT); here, as in the
   * kernel, that bit is part of the number.
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

  /** The bit that is set in every x32 number (__X32_SYSCALL_BIT). */
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
   * Finds the architecture of a system call.
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
   * Finds an architecture by name.
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
   * The architecture's name, as libseccomp spells it.
   *
   * @return such as {@code x86_64}, or {@code x86} for the 32-bit one
   */
  public String label() {
    return label;
  }

  /**
   * The value of {@code seccomp_data.arch} for calls of this architecture.
   *
   * @return the AUDIT_ARCH value
   */
  public int auditValue() {
    return auditValue;
  }

  /**
   * The width of system call arguments.
   *
   * @return 32 or 64 bits; the kernel zero-extends 32-bit arguments in {@code seccomp_data}
   */
  public int bits() {
    return bits;
  }

  /**
   * Whether a number belongs to this architecture, as opposed to another one with the same
   * AUDIT_ARCH value.
   *
   * @param nr a system call number, which the kernel need not implement
   * @return on x86-64, false for numbers with bit 30 set except -1; on x32, false for all others
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
