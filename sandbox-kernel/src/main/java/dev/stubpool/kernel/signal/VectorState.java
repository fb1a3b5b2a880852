package dev.stubpool.kernel.signal;

import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.memory.UserMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * The vector state in a handler's context: an XSAVE area (Intel SDM volume 1, chapter 13) that is
 * marked as such in its software-reserved bytes, arch/x86/include/uapi/asm/sigcontext.h.
 */
final class VectorState {
  /** The size in bytes of the FXSAVE area, x87 and SSE. */
  static final int LEGACY_SIZE = 512;

  // struct _fpx_sw_bytes, in the legacy part.
  static final int MAGIC1 = 464;
  static final int EXTENDED_SIZE = 468;
  static final int XFEATURES = 472;
  static final int XSTATE_SIZE = 480;

  static final int FP_XSTATE_MAGIC1 = 0x4650_5853;
  static final int FP_XSTATE_MAGIC2 = 0x4650_5845;

  /**
   * The offset of the mask of present components, the first word of the header after the legacy
   * part.
   */
  static final int XSTATE_BV = LEGACY_SIZE;

  private static final int HEADER_SIZE = 64;
  private static final long X87_AND_SSE = 3;

  /**
   * The offset at which ptrace(2) stores the mask of the system's components: PTRACE_GETREGSET,
   * NT_X86_XSTATE.
   */
  private static final int XCR0 = 464;

  private VectorState() {}

  /** The size in bytes of a state in a frame. */
  static int frameSize(MemorySegment state) {
    return Math.toIntExact(state.byteSize()) + Integer.BYTES;
  }

  /** Puts a state into a frame. */
  static void save(MemorySegment state, ByteBuffer to, int offset) {
    byte[] bytes = state.toArray(ValueLayout.JAVA_BYTE);
    ByteBuffer area = Struct.view(bytes);
    long components = area.getLong(XCR0) | X87_AND_SSE;
    area.putLong(XSTATE_BV, area.getLong(XSTATE_BV) | X87_AND_SSE)
        .put(XCR0, new byte[LEGACY_SIZE - XCR0])
        .putInt(MAGIC1, FP_XSTATE_MAGIC1)
        .putInt(EXTENDED_SIZE, bytes.length + Integer.BYTES)
        .putLong(XFEATURES, components)
        .putInt(XSTATE_SIZE, bytes.length);
    to.put(offset, bytes).putInt(offset + bytes.length, FP_XSTATE_MAGIC2);
  }

  /**
   * Reads a state from a frame.
   *
   * @param address its address; 0 for the initial state of programs
   * @param size the size of states on this machine
   */
  static MemorySegment read(UserMemory memory, long address, int size) {
    if (address == 0) {
      return initial(size);
    }
    ByteBuffer legacy = memory.readStructure(address, LEGACY_SIZE);
    int used = legacy.getInt(XSTATE_SIZE);
    boolean extended =
        legacy.getInt(MAGIC1) == FP_XSTATE_MAGIC1
            && used >= LEGACY_SIZE + HEADER_SIZE
            && used <= size
            && used <= legacy.getInt(EXTENDED_SIZE)
            && memory.readInt(address + used) == FP_XSTATE_MAGIC2;
    ByteBuffer state = Struct.allocate(size);
    if (extended) {
      state.put(0, memory.read(address, used));
      state.putLong(XSTATE_BV, state.getLong(XSTATE_BV) & legacy.getLong(XFEATURES));
    } else {
      state.put(0, legacy, 0, LEGACY_SIZE).putLong(XSTATE_BV, X87_AND_SSE);
    }
    return MemorySegment.ofArray(Struct.bytes(state));
  }

  /** The initial state of programs and handlers, with no component in use. */
  static MemorySegment initial(int size) {
    return MemorySegment.ofArray(new byte[size]);
  }
}
