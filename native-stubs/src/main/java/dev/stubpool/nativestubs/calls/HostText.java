package dev.stubpool.nativestubs.calls;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The host text: machine code from which threads of this JVM make system calls without libc.
 *
 * <p>It lies in a sealed memfd named {@code stubpool-host}, mapped shared and read-execute wherever
 * the kernel has room. One a JVM, never unmapped. A forked child inherits the mapping; a stub does
 * not keep it, because everything but the stub image's text is unmapped before a stub is used.
 */
public final class HostText {
  private static final String MEMFD_NAME = "stubpool-host";
  private static final String STEP = "mapping the host text";

  private static @Nullable HostText instance;

  private final long address;

  private HostText(long address) {
    this.address = address;
  }

  /**
   * The host text of this JVM, mapped by the first call that succeeds. {@link Kernel} calls this
   * method when it is first used; whoever wants a failure reported as below, and to be able to try
   * again, calls it before.
   *
   * @throws IllegalCallerException if this module may not call native code; the message names the
   *     option to add
   * @throws MissingFunctionException if libc's syscall(2) cannot be found; the message says what to
   *     do
   * @throws NativeCallException if the kernel refused one of the calls
   * @throws UnsupportedOperationException if this module was built for another architecture
   */
  public static synchronized HostText get() {
    if (instance == null) {
      try {
        instance = load();
      } catch (IllegalCallerException denied) {
        throw new IllegalCallerException(
            "stubpool may not call native code in this JVM: add the option "
                + NativeAccess.requiredOption()
                + " to the java command",
            denied);
      }
    }
    return instance;
  }

  /** The address of a label of {@link HostSymbols}. */
  long address(int symbol) {
    return address + symbol;
  }

  private static HostText load() {
    String architecture = System.getProperty("os.arch");
    if (!architecture.equals(HostSymbols.ARCHITECTURE)) {
      throw new UnsupportedOperationException(
          "native-stubs was built for "
              + HostSymbols.ARCHITECTURE
              + ", this JVM is for "
              + architecture
              + "; build it on such a machine");
    }
    LibcSyscall libc = new LibcSyscall();
    try (TextFile file =
        TextFile.of(
            libc, HostText.class, HostSymbols.RESOURCE, MEMFD_NAME, Abi.HOST_TEXT_SIZE, STEP)) {
      return new HostText(file.map(Abi.HOST_TEXT_SIZE));
    }
  }

  /** System calls through libc, for as long as there is no host text to make them from. */
  private static final class LibcSyscall implements TextFile.SystemCall {
    private final MethodHandle syscall;

    LibcSyscall() {
      Linker linker = Linker.nativeLinker();
      // syscall(2) is variadic: the number is its only fixed argument.
      syscall =
          linker.downcallHandle(
              linker
                  .defaultLookup()
                  .find("syscall")
                  .orElseThrow(() -> new MissingFunctionException("syscall")),
              FunctionDescriptor.of(
                  JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                  JAVA_LONG),
              Linker.Option.firstVariadicArg(1),
              Linker.Option.captureCallState("errno"));
    }

    @Override
    public long call(int number, long a, long b, long c, long d, long e, long f) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment errno = arena.allocate(Linker.Option.captureStateLayout());
        long result = (long) syscall.invokeExact(errno, (long) number, a, b, c, d, e, f);
        return result == -1 ? -errno.get(JAVA_INT, 0) : result;
      } catch (Throwable t) {
        throw new LinkageError("syscall", t);
      }
    }
  }
}
