package dev.stubpool;

import dev.stubpool.nativestubs.Abi;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * What a program does with its guest, from Java to Java. Beside the floor's rows of the same names.
 */
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow",
      "-Djmh.executor=CUSTOM",
      "-Djmh.executor.class=dev.stubpool.GuestExecutor"
    })
public class GuestBenchmark extends StubBenchmark {
  private static final long UNMAPPED = 0x40_0000;

  /** What the guest does. */
  @Param({"CALL", "READ"})
  public String code;

  private Guest guest;
  private long number;

  /** The guest at its first trap. */
  @Setup(Level.Iteration)
  public void begin() {
    guest = GuestExecutor.guest();
    guest
        .registers()
        .rip(code.equals("CALL") ? GuestExecutor.CALL : GuestExecutor.READ)
        .rdi(UNMAPPED);
    guest.resume();
  }

  /** Row {@code guest_syscall}: the result is the next call's number. */
  @Benchmark
  public Trap systemCall() {
    guest.complete(number++ & 0xff);
    return guest.resume();
  }

  /** Row {@code guest_syscall_registers}. */
  @Benchmark
  public long systemCallWithRegisters() {
    guest.registers().rax(number++ & 0xff);
    guest.resume();
    return guest.registers().rdi();
  }

  /** Row {@code guest_fault}: all registers are written and read, as after a signal. */
  @Benchmark
  public Trap fault() {
    guest.registers().rax(number++);
    return guest.resume();
  }

  /** Row {@code guest_fault_exact}. */
  @Benchmark
  public FaultDetails exactFault() {
    guest.registers().rax(number++);
    return guest.examine((Trap.Fault) guest.resume());
  }

  /** Row {@code guest_map}: a third of mapping, protecting and unmapping a page not touched. */
  @Benchmark
  @OperationsPerInvocation(3)
  public void map() {
    StubMemory memory = guest.memory();
    memory.mapAnonymous(UNMAPPED, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    memory.protect(UNMAPPED, AddressSpace.PAGE_SIZE, Protection.READ);
    memory.unmap(UNMAPPED, AddressSpace.PAGE_SIZE);
  }

  /** Row {@code guest_injection}: getpid in the stopped guest, and its next call. */
  @Benchmark
  public Trap injection() {
    guest.stub().syscall(Abi.SYS_getpid);
    guest.complete(number++ & 0xff);
    return guest.resume();
  }
}
