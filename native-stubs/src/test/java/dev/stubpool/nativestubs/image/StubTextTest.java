package dev.stubpool.nativestubs.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.calls.Abi;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bytes of the one page that may make system calls in a stub. */
class StubTextTest {
  private static final int INT3 = 0xcc;
  private static byte[] text;

  @BeforeAll
  static void read() throws IOException {
    try (InputStream in = StubImage.class.getResourceAsStream(ImageSymbols.RESOURCE)) {
      text = in.readNBytes(Abi.IMAGE_STUB_SIZE);
    }
  }

  /** At any offset, not only where an instruction was meant to begin. */
  @Test
  void shouldHoldNoSystemCallInstructionButItsOwn() {
    List<Integer> own = new ArrayList<>();
    for (int i = 0; i + 1 < text.length; i++) {
      int pair = ((text[i] & 0xff) << 8) | (text[i + 1] & 0xff);
      assertThat(pair).as("sysenter at 0x%x", i).isNotEqualTo(0x0f34);
      assertThat(pair).as("int 0x80 at 0x%x", i).isNotEqualTo(0xcd80);
      if (pair == 0x0f05) {
        own.add(i);
      }
    }
    // call; prctl, getppid, the call and exit of the first call; clone; two munmaps; futex
    assertThat(own)
        .hasSize(9)
        .contains(ImageSymbols.STUB_CALL_RETURNED - 2, ImageSymbols.STUB_FIRST_CALL_RETURNED - 2);
  }

  @Test
  void shouldEndEveryRoutineInABreakpoint() {
    for (int done :
        new int[] {
          ImageSymbols.STUB_CALL_DONE,
          ImageSymbols.STUB_FIRST_CALL_DONE,
          ImageSymbols.STUB_FIRST_CALL_NOT_ARMED,
          ImageSymbols.STUB_CLONE_MANY_DONE,
          ImageSymbols.STUB_UNMAP_AROUND_DONE,
          ImageSymbols.STUB_READY_DONE
        }) {
      assertThat(text[done - 1] & 0xff).as("byte before 0x%x", done).isEqualTo(INT3);
    }
    assertThat(text[ImageSymbols.STUB_FAULT_ENTRY] & 0xff).isEqualTo(INT3);
    assertThat(text[ImageSymbols.STUB_FAULT_RETURN] & 0xff).isEqualTo(INT3);
  }

  @Test
  void shouldBeBreakpointsBehindItsLastWord() {
    for (int i = ImageSymbols.STUB_PARK_WORD + Integer.BYTES; i < text.length; i++) {
      assertThat(text[i] & 0xff).as("byte 0x%x", i).isEqualTo(INT3);
    }
  }
}
