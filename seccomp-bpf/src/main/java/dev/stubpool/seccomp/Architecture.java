package dev.stubpool.seccomp;

import java.util.Optional;

/**
 * A calling convention that the kernel tells filters about by an AUDIT_ARCH value ({@code
 * linux/audit.h}).
 *
 * <p>All of them are little-endian.
 */
public enum Architecture {
  /**
   * x86-64. The x32 convention shares its AUDIT_ARCH value, and marks its numbers by bit 30
   * (__X32_SYSCALL_BIT).
   */
  X86_64(0xc000003e, 0x40000000),

  /** 32-bit x86, also made by {@code int 0x80} from 64-bit code. */
  I386(0x40000003, 0);

  private final int auditValue;
  private final int foreignNumberBit;

  Architecture(int auditValue, int foreignNumberBit) {
    this.auditValue = auditValue;
    this.foreignNumberBit = foreignNumberBit;
  }

  /**
   * The architecture that an AUDIT_ARCH value stands for.
   *
   * @param auditValue the value
   * @return the architecture, if it is one of these
   */
  public static Optional<Architecture> ofAuditValue(int auditValue) {
    for (Architecture architecture : values()) {
      if (architecture.auditValue == auditValue) {
        return Optional.of(architecture);
      }
    }
    return Optional.empty();
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
   * The bit that marks the numbers of another convention under the same AUDIT_ARCH value.
   *
   * @return 0x40000000 (x32) for x86-64, else 0
   */
  public int foreignNumberBit() {
    return foreignNumberBit;
  }

  /**
   * Whether a number belongs to another convention under the same AUDIT_ARCH value.
   *
   * @param nr a system call number
   * @return true for x32 numbers, if this is x86-64; -1 counts as one
   */
  public boolean isForeignNumber(int nr) {
    return (nr & foreignNumberBit) != 0;
  }
}
