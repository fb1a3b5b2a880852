package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.Protection;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.Trap;
import dev.stubpool.kernel.Program;
import dev.stubpool.kernel.SandboxKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;

/**
 * A program that asks for its process's number in a loop: in the sandbox kernel, and the same
 * instructions by the guest interface alone. Prints a line for each, of the time a call. Not by
 * JMH, for a program has one beginning and one end.
 */
public final class KernelCallBenchmark {
  private static final long CODE = 0x40_0000;
  private static final int GETPID = 39;
  private static final int HEADERS_SIZE = 64 + 56;
  private static final double NANOS_A_MICRO = 1000;

  private KernelCallBenchmark() {}

  /** Takes the number of calls and of rounds. */
  public static void main(String[] arguments) throws IOException {
    int calls = Integer.parseInt(arguments[0]);
    int rounds = Integer.parseInt(arguments[1]);
    byte[] code = code(calls);
    Path program = Files.createTempFile("getpid", "");
    double[] kernel = new double[rounds];
    double[] guest = new double[rounds];
    try (StubPool pool =
        StubPool.open(StubPoolOptions.builder().name("bench").minIdle(0).maxStubs(16).build())) {
      Files.write(program, elf(code));
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
      for (int i = -1; i < rounds; i++) { // the first round warms up
        double ofGuest = byGuest(pool, code) / calls / NANOS_A_MICRO;
        double ofKernel = byKernel(pool, program) / calls / NANOS_A_MICRO;
        if (i >= 0) {
          guest[i] = ofGuest;
          kernel[i] = ofKernel;
        }
      }
    } finally {
      Files.delete(program);
    }
    FloorLine.print("getpid_guest", "us", guest);
    FloorLine.print("getpid_kernel", "us", kernel);
  }

  /**
   * <pre>
   *   mov ebx, calls
   *   again: mov eax, 39; syscall; dec ebx; jnz again
   *   xor edi, edi; mov eax, 231; syscall
   * </pre>
   */
  private static byte[] code(int calls) {
    return HexFormat.of()
        .parseHex(
            "bb%08xb8270000000f05ffcb75f531ffb8e70000000f05"
                .formatted(Integer.reverseBytes(calls)));
  }

  /** An ELF file of one segment that is loaded as a whole, elf(5). */
  private static byte[] elf(byte[] code) {
    ByteBuffer file =
        ByteBuffer.allocate(HEADERS_SIZE + code.length).order(ByteOrder.LITTLE_ENDIAN);
    file.put(HexFormat.of().parseHex("7f454c46020101000000000000000000"));
    file.putShort((short) 2).putShort((short) 62).putInt(1).putLong(CODE + HEADERS_SIZE);
    file.putLong(64).putLong(0).putInt(0).putShort((short) 64);
    file.putShort((short) 56).putShort((short) 1).putShort((short) 0).putShort((short) 0);
    file.putShort((short) 0);
    file.putInt(1).putInt(5).putLong(0).putLong(CODE).putLong(CODE);
    file.putLong(file.capacity()).putLong(file.capacity()).putLong(AddressSpace.PAGE_SIZE);
    return file.put(code).array();
  }

  private static double byGuest(StubPool pool, byte[] code) {
    try (Stub stub = pool.acquire()) {
      stub.memory().mapAnonymous(CODE, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
      stub.memory().write(CODE, code);
      stub.memory().protect(CODE, AddressSpace.PAGE_SIZE, Protection.READ_EXECUTE);
      return stub.run(
          guest -> {
            guest.registers().rip(CODE);
            long begun = System.nanoTime();
            while (guest.resume() instanceof Trap.SystemCall call && call.number() == GETPID) {
              guest.complete(2);
            }
            return (double) (System.nanoTime() - begun);
          });
    }
  }

  private static double byKernel(StubPool pool, Path program) {
    long begun = System.nanoTime();
    int status = new SandboxKernel(pool).run(Program.builder(program).build());
    if (status != 0) {
      throw new IllegalStateException("the program ended with " + status);
    }
    return System.nanoTime() - begun;
  }
}
