package dev.stubpool.nativestubs.calls;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Vector and other extended registers in the standard XSAVE layout, as the NT_X86_XSTATE register
 * set has them. Offsets are the architecture's (Intel SDM volume 1, chapter 13); the size is the
 * CPU's.
 */
public final class ExtendedState {
  /** Larger than any known layout; 11,008 bytes with AMX tiles. */
  public static final int MOST_BYTES = 64 * 1024;

  private static final int FCW = 0;
  private static final int MXCSR = 24;

  /**
   * In the part that the architecture leaves to software, Linux tells the features that the layout
   * has room for.
   */
  private static final int LINUX_FEATURES = 464;

  private static final int XSTATE_BV = 512;

  private static final long X87_AND_SSE = 3;
  private static final int PKRU_COMPONENT = 9;
  private static final int CPUID_XSTATE = 0xD;

  /**
   * What the kernel gives a new program: key 0 usable, all others denied ({@code init_pkru}, Linux
   * 4.9).
   */
  private static final int INITIAL_PKRU = 0x5555_5554;

  private static final short INITIAL_FCW = 0x37f;
  private static final int INITIAL_MXCSR = 0x1f80;

  private static final int PKRU_OFFSET = offset(PKRU_COMPONENT);

  private ExtendedState() {}

  /**
   * Overwrites a register set with the state of a new program; no register keeps anything.
   *
   * @param state the register set of some process, of exactly its size; only the features it has
   *     room for are read
   */
  public static void initialize(MemorySegment state) {
    long features = state.get(JAVA_LONG, LINUX_FEATURES);
    state.fill((byte) 0);
    state.set(JAVA_SHORT, FCW, INITIAL_FCW);
    state.set(JAVA_INT, MXCSR, INITIAL_MXCSR);
    long present = X87_AND_SSE;
    if ((features & 1L << PKRU_COMPONENT) != 0) {
      state.set(JAVA_INT, PKRU_OFFSET, INITIAL_PKRU);
      present |= 1L << PKRU_COMPONENT;
    }
    state.set(JAVA_LONG, XSTATE_BV, present); // the others take their initial values
  }

  /** PKRU, which denies memory by its keys, two bits each; 0 if it is not in the state. */
  public static int keyRights(MemorySegment state) {
    return (state.get(JAVA_LONG, XSTATE_BV) & 1L << PKRU_COMPONENT) == 0
        ? 0
        : state.get(JAVA_INT, PKRU_OFFSET);
  }

  /** Sets {@link #keyRights(MemorySegment)}, which is in the state. */
  public static void keyRights(MemorySegment state, int rights) {
    state.set(JAVA_INT, PKRU_OFFSET, rights);
  }

  /** Where a component lies in the standard layout: EBX of CPUID leaf 0xD. */
  public static int offset(int component) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment registers = arena.allocate(JAVA_INT, 4);
      Kernel.cpuid(CPUID_XSTATE, component, registers.address());
      return registers.getAtIndex(JAVA_INT, 1);
    }
  }
}
