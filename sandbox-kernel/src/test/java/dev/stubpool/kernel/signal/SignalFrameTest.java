package dev.stubpool.kernel.signal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Struct;
import dev.stubpool.kernel.signal.SignalActions.Action;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SignalFrameTest {
  private static final int VECTOR_SIZE = 2436;
  private static final long STACK = 0x7000_0000_0000L;
  private static final Action ON_STACK = new Action(1, SignalActions.SA_ONSTACK, 0, 0);
  private static final Action PLAIN = new Action(1, 0, 0, 0);

  private static FrameLayout place(long pointer, Action action, AlternateStack stack) {
    return FrameLayout.place(pointer, action, stack, VECTOR_SIZE);
  }

  @Test
  void shouldHaveTheOffsetsOfTheKernelsHeaders(@TempDir Path directory) throws Exception {
    check(
        directory,
        """
        #define _GNU_SOURCE
        #include <signal.h>
        #include <stddef.h>
        #include <ucontext.h>
        #define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #field)
        #define IS(a, b) _Static_assert((a) == (b), #a)
        """
            + at("siginfo_t", "si_errno", SignalInfo.ERRNO)
            + at("siginfo_t", "si_code", SignalInfo.CODE)
            + at("siginfo_t", "si_pid", SignalInfo.FIELDS)
            + at("siginfo_t", "si_uid", SignalInfo.FIELDS + 4)
            + at("siginfo_t", "si_value", SignalInfo.FIELDS + 8)
            + at("siginfo_t", "si_status", SignalInfo.FIELDS + 8)
            + at("siginfo_t", "si_addr", SignalInfo.FIELDS)
            + at("siginfo_t", "si_timerid", SignalInfo.FIELDS)
            + at("siginfo_t", "si_overrun", SignalInfo.FIELDS + 4)
            + is("sizeof(siginfo_t)", SignalInfo.SIZE)
            + is("sizeof(stack_t)", AlternateStack.SIZE)
            + is("sizeof(struct sigevent)", SignalEvent.SIZE)
            + at("struct sigevent", "sigev_signo", 8)
            + at("struct sigevent", "sigev_notify", 12)
            + at("ucontext_t", "uc_flags", FrameLayout.UC_FLAGS)
            + at("ucontext_t", "uc_stack", FrameLayout.UC_STACK)
            + at("ucontext_t", "uc_mcontext", FrameLayout.UC_MCONTEXT)
            + at("ucontext_t", "uc_mcontext.fpregs", FrameLayout.UC_MCONTEXT + FrameLayout.FPSTATE)
            + at("ucontext_t", "uc_sigmask", FrameLayout.UC_SIGMASK)
            + is("sizeof(gregset_t)", GeneralRegisters.SIZE)
            + is("REG_R8", GeneralRegisters.R8)
            + is("REG_R15", GeneralRegisters.R15)
            + is("REG_RDI", GeneralRegisters.RDI)
            + is("REG_RSI", GeneralRegisters.RSI)
            + is("REG_RBP", GeneralRegisters.RBP)
            + is("REG_RBX", GeneralRegisters.RBX)
            + is("REG_RDX", GeneralRegisters.RDX)
            + is("REG_RAX", GeneralRegisters.RAX)
            + is("REG_RCX", GeneralRegisters.RCX)
            + is("REG_RSP", GeneralRegisters.RSP)
            + is("REG_RIP", GeneralRegisters.RIP)
            + is("REG_EFL", GeneralRegisters.FLAGS)
            + is("REG_CSGSFS", GeneralRegisters.SELECTORS)
            + is("REG_ERR", GeneralRegisters.ERROR)
            + is("REG_TRAPNO", GeneralRegisters.TRAP)
            + is("REG_OLDMASK", GeneralRegisters.OLD_MASK)
            + is("REG_CR2", GeneralRegisters.CR2));
    check(
        directory,
        """
        #include <asm/signal.h>
        #include <asm/siginfo.h>
        #include <asm/sigcontext.h>
        #include <asm/ucontext.h>
        #include <stddef.h>
        #define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #field)
        #define IS(a, b) _Static_assert((a) == (b), #a)
        """
            + is("sizeof(struct ucontext)", FrameLayout.CONTEXT_SIZE)
            + is("sizeof(struct _fpstate_64)", VectorState.LEGACY_SIZE)
            + at("struct _fpstate_64", "sw_reserved.magic1", VectorState.MAGIC1)
            + at("struct _fpstate_64", "sw_reserved.extended_size", VectorState.EXTENDED_SIZE)
            + at("struct _fpstate_64", "sw_reserved.xfeatures", VectorState.XFEATURES)
            + at("struct _fpstate_64", "sw_reserved.xstate_size", VectorState.XSTATE_SIZE)
            + is("FP_XSTATE_MAGIC1", VectorState.FP_XSTATE_MAGIC1)
            + is("FP_XSTATE_MAGIC2", VectorState.FP_XSTATE_MAGIC2)
            + is("SA_RESTORER", SignalActions.SA_RESTORER)
            + at("struct sigaction", "sa_mask", 24)
            + is("sizeof(struct sigaction)", Action.SIZE));
  }

  private static String at(String type, String field, int offset) {
    return "AT(%s, %s, %d);%n".formatted(type, field, offset);
  }

  private static String is(String constant, int value) {
    return "IS(%s, %d);%n".formatted(constant, value);
  }

  private static void check(Path directory, String text) throws Exception {
    Path source = Files.writeString(directory.resolve("offsets.c"), text);
    Path errors = directory.resolve("errors");
    Process compiler;
    try {
      compiler =
          new ProcessBuilder(List.of("gcc", "-fsyntax-only", source.toString()))
              .redirectErrorStream(true)
              .redirectOutput(errors.toFile())
              .start();
    } catch (IOException e) {
      Assumptions.abort("no compiler here: " + e.getMessage());
      return;
    }
    assertThat(compiler.waitFor())
        .as(() -> new String(readAll(errors), StandardCharsets.UTF_8))
        .isZero();
  }

  private static byte[] readAll(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      return e.toString().getBytes(StandardCharsets.UTF_8);
    }
  }

  @Test
  void shouldBeAlignedBelowTheRedZone() {
    for (int i = 0; i < 64; i++) {
      long pointer = STACK + i;
      FrameLayout layout = place(pointer, PLAIN, AlternateStack.NONE);
      assertThat((layout.frame() + Long.BYTES) % 16).isZero();
      assertThat(layout.vectors() % 64).isZero();
      assertThat(layout.vectors()).isGreaterThanOrEqualTo(layout.frame() + FrameLayout.SIZE);
      assertThat(layout.vectors() + VECTOR_SIZE).isBetween(pointer - 128 - 63, pointer - 128);
      assertThat(layout.size(VECTOR_SIZE)).isLessThan(VECTOR_SIZE + FrameLayout.SIZE + 80);
    }
  }

  @Test
  void shouldUseTheAlternateStackOnlyForWhoWantsItAndIsNotOnIt() {
    AlternateStack stack = new AlternateStack(0x10000, 0, 0x4000);
    assertThat(place(STACK, PLAIN, stack).frame()).isGreaterThan(STACK - 0x1000);
    assertThat(place(STACK, ON_STACK, stack).vectors() + VECTOR_SIZE)
        .isBetween(0x14000L - 63, 0x14000L);
    assertThat(place(0x13000, ON_STACK, stack).vectors() + VECTOR_SIZE)
        .isBetween(0x13000L - 128 - 63, 0x13000L - 128);
    assertThat(place(STACK, ON_STACK, AlternateStack.NONE).frame()).isGreaterThan(STACK - 0x1000);
  }

  @Test
  void shouldNotLeaveTheAlternateStack() {
    AlternateStack stack = new AlternateStack(0x10000, 0, 0x1000);
    assertThat(place(STACK, ON_STACK, stack).frame()).isGreaterThan(0x10000);
    for (Action action : List.of(PLAIN, ON_STACK)) {
      assertThatThrownBy(() -> place(0x10800, action, stack))
          .isInstanceOfSatisfying(
              ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
    }
    AlternateStack disarming = new AlternateStack(0x10000, AlternateStack.SS_AUTODISARM, 0x1000);
    assertThat(place(0x10800, PLAIN, disarming).frame()).isLessThan(0x10000);
  }

  @Test
  void shouldMarkTheVectorState() {
    byte[] state = new byte[832];
    ByteBuffer area = Struct.view(state);
    area.put(160, (byte) 0x5a).putLong(464, 7).putLong(VectorState.XSTATE_BV, 4);
    ByteBuffer frame = Struct.allocate(900);
    VectorState.save(MemorySegment.ofArray(state), frame, 10);
    assertThat(frame.get(10 + 160)).isEqualTo((byte) 0x5a);
    assertThat(frame.getLong(10 + VectorState.XSTATE_BV)).isEqualTo(7);
    assertThat(frame.getInt(10 + VectorState.MAGIC1)).isEqualTo(VectorState.FP_XSTATE_MAGIC1);
    assertThat(frame.getInt(10 + VectorState.EXTENDED_SIZE)).isEqualTo(836);
    assertThat(frame.getLong(10 + VectorState.XFEATURES)).isEqualTo(7);
    assertThat(frame.getInt(10 + VectorState.XSTATE_SIZE)).isEqualTo(832);
    assertThat(frame.getInt(10 + 832)).isEqualTo(VectorState.FP_XSTATE_MAGIC2);
  }

  @Test
  void shouldLayOutWhatComesWithASignal() {
    ByteBuffer child = Struct.view(SignalInfo.ofChild(17, 1, 5, 6, 7).bytes());
    assertThat(child.getInt(0)).isEqualTo(17);
    assertThat(child.getInt(SignalInfo.CODE)).isEqualTo(1);
    assertThat(child.getInt(24)).isEqualTo(7);
    byte[] given = new byte[SignalInfo.SIZE];
    given[0] = 99;
    given[8] = -5;
    given[9] = -1;
    given[10] = -1;
    given[11] = -1;
    given[127] = 3;
    SignalInfo info = SignalInfo.given(40, given);
    assertThat(info.code()).isEqualTo(-5);
    given[0] = 40;
    assertThat(info.bytes()).isEqualTo(given);
  }
}
